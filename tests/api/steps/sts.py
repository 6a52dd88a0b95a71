"""STS: who am I, and temporary keys: a user assumes a role, whose session says who it is."""

from tests.api.transcript import call, refused, signed_by

ALICE, SESSION = "LTAI5tExample1", "STS.Example1"
ACCOUNT = "acs:ram::1000000000000001"
GUEST = f"{ACCOUNT}:role/guest"
TRUST = (
    '{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
    f'"Principal":{{"RAM":["{ACCOUNT}:root"]}},'
    '"Condition":{"StringEquals":{"sts:ExternalId":"4711"}}}]}'
)
NARROWER = (
    '{"Version":"1","Statement":[{"Effect":"Allow","Action":"vpc:Describe*","Resource":"*"}]}'
)

# A user who may assume roles, and a role that this account's users may assume.
STAGE = [
    call("ram.CreateUser", UserName="alice"),
    call("ram.CreateAccessKey", UserName="alice"),
    call(
        "ram.AttachPolicyToUser",
        UserName="alice",
        PolicyName="AliyunSTSAssumeRoleAccess",
        PolicyType="System",
    ),
    call("ram.CreateRole", RoleName="guest", AssumeRolePolicyDocument=TRUST),
    call(
        "ram.AttachPolicyToRole",
        RoleName="guest",
        PolicyName="ReadOnlyAccess",
        PolicyType="System",
    ),
]

STEPS = [
    *STAGE,
    call("GetCallerIdentity"),
    signed_by(ALICE, call("GetCallerIdentity")),
    signed_by(
        ALICE,
        call(
            "AssumeRole",
            RoleArn=GUEST,
            RoleSessionName="nightly-job",
            DurationSeconds=900,
            ExternalId="4711",
            Policy=NARROWER,
        ),
    ),
    signed_by(SESSION, call("GetCallerIdentity")),
    # The account itself cannot: it may do everything as it is.
    refused("NoPermission", "AssumeRole", RoleArn=GUEST, RoleSessionName="nightly-job"),
    # The role trusts those only who know its external id.
    signed_by(
        ALICE,
        refused("NoPermission", "AssumeRole", RoleArn=GUEST, RoleSessionName="nightly-job"),
    ),
    signed_by(
        ALICE,
        refused(
            "InvalidParameter.DurationSeconds",
            "AssumeRole",
            RoleArn=GUEST,
            RoleSessionName="nightly-job",
            DurationSeconds=7200,
            ExternalId="4711",
        ),
    ),
    signed_by(
        ALICE,
        refused(
            "EntityNotExist.Role",
            "AssumeRole",
            RoleArn=f"{ACCOUNT}:role/host",
            RoleSessionName="nightly-job",
        ),
    ),
    call(
        "ram.UpdateAccessKey", UserName="alice", UserAccessKeyId="LTAI5tExample1", Status="Inactive"
    ),
    signed_by(ALICE, refused("InvalidAccessKeyId.Inactive", "GetCallerIdentity")),
]
