"""RAM: users get keys and policies, others assume roles, and all of them go."""

from tests.api.transcript import call, refused, signed_by

ALICE = {"UserName": "alice"}
SHOP = {"UserName": "shop"}
NOBODY = {"UserName": "bob"}
GUEST = {"RoleName": "guest"}
NO_ROLE = {"RoleName": "host"}
LINKED_ROLE = {"RoleName": "AliyunServiceRoleForPrivatelink"}
POLICY = {"PolicyName": "shop-network"}
OWN = {**POLICY, "PolicyType": "Custom"}
NO_POLICY = {"PolicyName": "shop-servers", "PolicyType": "Custom"}
READ_ONLY = {"PolicyName": "ReadOnlyAccess", "PolicyType": "System"}
LOOKING = '{"Version":"1","Statement":[{"Effect":"Allow","Action":"vpc:Describe*","Resource":"*"}]}'
ENDPOINTS = (
    '{"Version":"1","Statement":['
    '{"Effect":"Allow","Action":["vpc:Describe*","privatelink:*"],"Resource":"*"},'
    '{"Effect":"Deny","Action":"privatelink:Delete*","Resource":"*"}]}'
)
EVERYTHING = '{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
WRONG = '{"Version":"1","Statement":[{"Effect":"Allow","Action":"Describe","Resource":"*"}]}'
TRUST = (
    '{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
    '"Principal":{"RAM":["acs:ram::1000000000000001:root"]}}]}'
)
TRUST_IN_ALICE = TRUST.replace(":root", ":user/alice")

USERS = [
    call(
        "CreateUser",
        **ALICE,
        DisplayName="Alice",
        MobilePhone="86-13800138000",
        Email="alice@example.com",
        Comments="runs the networks",
    ),
    call("CreateUser", UserName="seller"),
    refused("EntityAlreadyExists.User", "CreateUser", **ALICE),
    call("GetUser", **ALICE),
    refused("EntityNotExist.User", "GetUser", **NOBODY),
    call("ListUsers"),
    call("ListUsers", MaxItems=1),
    call("ListUsers", MaxItems=1, Marker="marker-1"),
    refused("InvalidParameter.Marker", "ListUsers", Marker="alice"),
    call(
        "UpdateUser",
        UserName="seller",
        NewUserName="shop",
        NewDisplayName="The shop",
        NewMobilePhone="",
        NewEmail="shop@example.com",
        NewComments="the program that sells",
    ),
    refused("EntityAlreadyExists.User", "UpdateUser", **SHOP, NewUserName="alice"),
    call("ListGroupsForUser", **ALICE),
    refused("EntityNotExist.User", "ListGroupsForUser", **NOBODY),
    refused("EntityNotExist.User.LoginProfile", "GetLoginProfile", **ALICE),
    refused("EntityNotExist.User.LoginProfile", "DeleteLoginProfile", **ALICE),
    refused("EntityNotExist.User.MFADevice", "GetUserMFAInfo", **ALICE),
    refused("EntityNotExist.User.MFADevice", "UnbindMFADevice", **ALICE),
]

# A second key, so that the first can go.
KEYS = [
    call("CreateAccessKey", **SHOP),
    call("CreateAccessKey", **SHOP),
    refused("LimitExceeded.User.AccessKey", "CreateAccessKey", **SHOP),
    call("UpdateAccessKey", **SHOP, UserAccessKeyId="LTAI5tExample1", Status="Inactive"),
    refused(
        "InvalidParameter.Status",
        "UpdateAccessKey",
        **SHOP,
        UserAccessKeyId="LTAI5tExample1",
        Status="Off",
    ),
    call("ListAccessKeys", **SHOP),
    refused("EntityNotExist.User", "ListAccessKeys", **NOBODY),
    call("DeleteAccessKey", **SHOP, UserAccessKeyId="LTAI5tExample1"),
    refused(
        "EntityNotExist.User.AccessKey",
        "DeleteAccessKey",
        **SHOP,
        UserAccessKeyId="LTAI5tExample1",
    ),
]

POLICIES = [
    call("CreatePolicy", **POLICY, PolicyDocument=LOOKING, Description="what the shop may do"),
    refused("MalformedPolicyDocument", "CreatePolicy", PolicyName="wrong", PolicyDocument=WRONG),
    call("GetPolicy", **OWN),
    call("GetPolicy", **READ_ONLY),
    refused("EntityNotExist.Policy", "GetPolicy", **NO_POLICY),
    call("ListPolicies", PolicyType="Custom"),
    call("ListPolicies", PolicyType="System", MaxItems=2),
    refused("InvalidParameter.PolicyType", "ListPolicies", PolicyType="Own"),
    call("CreatePolicyVersion", **POLICY, PolicyDocument=ENDPOINTS),
    call(
        "CreatePolicyVersion",
        **POLICY,
        PolicyDocument=EVERYTHING,
        SetAsDefault=True,
        RotateStrategy="DeleteOldestNonDefaultVersionWhenLimitExceeded",
    ),
    refused("MalformedPolicyDocument", "CreatePolicyVersion", **POLICY, PolicyDocument=WRONG),
    call("GetPolicyVersion", **OWN, VersionId="v1"),
    refused("EntityNotExist.Policy.Version", "GetPolicyVersion", **OWN, VersionId="v9"),
    call("ListPolicyVersions", **OWN),
    refused("EntityNotExist.Policy", "ListPolicyVersions", **NO_POLICY),
    call("SetDefaultPolicyVersion", **POLICY, VersionId="v2"),
    refused("EntityNotExist.Policy.Version", "SetDefaultPolicyVersion", **POLICY, VersionId="v9"),
    call("DeletePolicyVersion", **POLICY, VersionId="v3"),
    refused(
        "DeleteConflict.PolicyVersion.Default", "DeletePolicyVersion", **POLICY, VersionId="v2"
    ),
]

ON_USERS = [
    call("AttachPolicyToUser", **SHOP, **OWN),
    call("AttachPolicyToUser", **SHOP, **READ_ONLY),
    refused("EntityAlreadyExists.User.Policy", "AttachPolicyToUser", **SHOP, **OWN),
    call("ListPoliciesForUser", **SHOP),
    refused("EntityNotExist.User", "ListPoliciesForUser", **NOBODY),
    # What no policy allows is refused.
    signed_by("LTAI5tExample2", call("ListUsers")),
    signed_by("LTAI5tExample2", refused("NoPermission", "CreateUser", UserName="mallory")),
]

ROLES = [
    call(
        "CreateRole",
        **GUEST,
        AssumeRolePolicyDocument=TRUST,
        Description="for those who only look",
        MaxSessionDuration=7200,
    ),
    refused("MalformedPolicyDocument", "CreateRole", **NO_ROLE, AssumeRolePolicyDocument=LOOKING),
    call("GetRole", **GUEST),
    refused("EntityNotExist.Role", "GetRole", **NO_ROLE),
    call(
        "UpdateRole",
        **GUEST,
        NewAssumeRolePolicyDocument=TRUST_IN_ALICE,
        NewDescription="for Alice, who only looks",
        NewMaxSessionDuration=3600,
    ),
    refused(
        "InvalidParameter.NewMaxSessionDuration", "UpdateRole", **GUEST, NewMaxSessionDuration=60
    ),
    call("AttachPolicyToRole", **GUEST, **READ_ONLY),
    call("AttachPolicyToRole", **GUEST, **OWN),
    refused("EntityAlreadyExists.Role.Policy", "AttachPolicyToRole", **GUEST, **READ_ONLY),
    call("ListPoliciesForRole", **GUEST),
    refused("EntityNotExist.Role", "ListPoliciesForRole", **NO_ROLE),
    call("ListEntitiesForPolicy", **OWN),
    refused("EntityNotExist.Policy", "ListEntitiesForPolicy", **NO_POLICY),
]

# PrivateLink's own role comes with the first service or endpoint.
LINKED = [
    call("vpc.CreateVpc"),
    call("privatelink.CreateVpcEndpointService"),
    call("GetRole", **LINKED_ROLE),
    call("ListRoles"),
    call("ListRoles", MaxItems=1),
    call("ListRoles", MaxItems=1, Marker="marker-3"),
    refused("InvalidParameter.MaxItems", "ListRoles", MaxItems=1001),
]

END = [
    refused("DeleteConflict.Role.Policy", "DeleteRole", **GUEST),
    call("DetachPolicyFromRole", **GUEST, **READ_ONLY),
    call("DetachPolicyFromRole", **GUEST, **OWN),
    refused("EntityNotExist.Role.Policy", "DetachPolicyFromRole", **GUEST, **OWN),
    call("DeleteRole", **GUEST),
    refused("InvalidOperation.Role.ServiceLinked", "DeleteRole", **LINKED_ROLE),
    call("privatelink.DeleteVpcEndpointService", ServiceId="epsrv-1"),
    call("DeleteRole", **LINKED_ROLE),
    call("DetachPolicyFromUser", **SHOP, **READ_ONLY),
    refused("EntityNotExist.User.Policy", "DetachPolicyFromUser", **SHOP, **READ_ONLY),
    refused("DeleteConflict.Policy.User", "DeletePolicy", **POLICY),
    call("DetachPolicyFromUser", **SHOP, **OWN),
    call("DeletePolicy", **POLICY, CascadingDelete=True),
    refused("DeleteConflict.User.AccessKey", "DeleteUser", **SHOP),
    call("DeleteAccessKey", **SHOP, UserAccessKeyId="LTAI5tExample2"),
    call("DeleteUser", **SHOP),
]

STEPS = [*USERS, *KEYS, *POLICIES, *ON_USERS, *ROLES, *LINKED, *END]
