"""RAM through the official SDK: users and their keys, policies, roles."""

from __future__ import annotations

import pytest
from darabonba.exceptions import DaraException

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.identity import EVERYTHING, allow, document, role, trust
from tests.api.stage import Stage

READING = {"PolicyName": "ReadOnlyAccess", "PolicyType": "System"}


def test_a_user_from_creation_to_deletion(operator: Account, refused: Refused) -> None:
    ram = operator.ram
    made = ram.CreateUser(UserName="alice", DisplayName="Alice", Email="a@b.c", Comments="x")[
        "User"
    ]
    assert made["UserName"] == "alice"
    assert len(made["UserId"]) == 18
    assert made["UserId"].isdigit()
    shown = ram.GetUser(UserName="alice")["User"]
    assert (shown["DisplayName"], shown["Email"], shown["Comments"]) == ("Alice", "a@b.c", "x")
    changed = ram.UpdateUser(UserName="alice", NewUserName="alicia", NewComments="y")["User"]
    assert (changed["UserName"], changed["UserId"]) == ("alicia", made["UserId"])
    with refused("EntityNotExist.User", 404, "'alice'", "ListUsers"):
        ram.GetUser(UserName="alice")
    ram.DeleteUser(UserName="alicia")
    assert ram.ListUsers()["Users"]["User"] == []
    with refused("EntityNotExist.User", 404):
        ram.DeleteUser(UserName="alicia")


def test_a_name_is_given_once(operator: Account, other: Account, refused: Refused) -> None:
    operator.ram.CreateUser(UserName="alice")
    other.ram.CreateUser(UserName="alice")
    operator.ram.CreateUser(UserName="bob")
    with refused("EntityAlreadyExists.User", 409, "'alice'"):
        operator.ram.CreateUser(UserName="alice")
    with refused("EntityAlreadyExists.User", 409, "'alice'"):
        operator.ram.UpdateUser(UserName="bob", NewUserName="alice")
    operator.ram.UpdateUser(UserName="bob", NewUserName="bob")
    with refused("InvalidParameter.UserName", 400, "64 letters"):
        operator.ram.CreateUser(UserName="alice@home")


def test_users_are_listed_page_by_page(operator: Account, refused: Refused) -> None:
    for name in ("dora", "alice", "carol", "bob", "emil"):
        operator.ram.CreateUser(UserName=name)
    seen, marker = [], ""
    while True:
        page = operator.ram.ListUsers(MaxItems=2, Marker=marker)
        seen += [user["UserName"] for user in page["Users"]["User"]]
        if not page["IsTruncated"]:
            break
        marker = page["Marker"]
    assert seen == ["alice", "bob", "carol", "dora", "emil"]
    assert "Marker" not in page
    with refused("InvalidParameter.Marker", 400, "none of ours"):
        operator.ram.ListUsers(Marker="é")


def test_the_account_itself_is_no_user(operator: Account, other: Account) -> None:
    assert other.ram.ListUsers()["Users"]["User"] == []
    assert operator.sts.GetCallerIdentity()["UserId"] == operator.id


def test_keys_of_a_user(stage: Stage, operator: Account, refused: Refused) -> None:
    ram = operator.ram
    ram.CreateUser(UserName="alice")
    first, second = (ram.CreateAccessKey(UserName="alice")["AccessKey"] for _ in range(2))
    assert first["Status"] == "Active"
    with refused("LimitExceeded.User.AccessKey", 409, "limit of 2", "DeleteAccessKey"):
        ram.CreateAccessKey(UserName="alice")
    listed = ram.ListAccessKeys(UserName="alice")["AccessKeys"]["AccessKey"]
    assert {key["AccessKeyId"] for key in listed} == {first["AccessKeyId"], second["AccessKeyId"]}
    assert first["AccessKeySecret"] not in str(listed)
    alice = Account(stage.host, operator.id, first["AccessKeyId"], first["AccessKeySecret"])
    assert alice.sts.GetCallerIdentity()["IdentityType"] == "RAMUser"
    named = {"UserName": "alice", "UserAccessKeyId": first["AccessKeyId"]}
    ram.UpdateAccessKey(**named, Status="Inactive")
    with refused("InvalidAccessKeyId.Inactive", 400, first["AccessKeyId"], "UpdateAccessKey"):
        alice.sts.GetCallerIdentity()
    ram.UpdateAccessKey(**named, Status="Active")
    alice.sts.GetCallerIdentity()
    with refused("DeleteConflict.User.AccessKey", 409, first["AccessKeyId"], "DeleteAccessKey"):
        ram.DeleteUser(UserName="alice")
    ram.DeleteAccessKey(**named)
    with refused("InvalidAccessKeyId.NotFound", 404):
        alice.sts.GetCallerIdentity()
    with refused("EntityNotExist.User.AccessKey", 404, first["AccessKeyId"]):
        ram.UpdateAccessKey(**named, Status="Active")
    with refused("EntityNotExist.User.AccessKey", 404):
        ram.DeleteAccessKey(UserName="alice", UserAccessKeyId=operator.key_id)


def test_what_terraform_asks_before_it_deletes_a_user(operator: Account, refused: Refused) -> None:
    ram = operator.ram
    ram.CreateUser(UserName="alice")
    assert ram.ListAccessKeys(UserName="alice")["AccessKeys"]["AccessKey"] == []
    assert ram.ListPoliciesForUser(UserName="alice")["Policies"]["Policy"] == []
    assert ram.ListGroupsForUser(UserName="alice")["Groups"]["Group"] == []
    for call in (ram.GetLoginProfile, ram.DeleteLoginProfile):
        with refused("EntityNotExist.User.LoginProfile", 404, "alice"):
            call(UserName="alice")
    for call in (ram.GetUserMFAInfo, ram.UnbindMFADevice):
        with refused("EntityNotExist.User.MFADevice", 404, "alice"):
            call(UserName="alice")
    ram.DeleteUser(UserName="alice")


def test_policies_on_a_user(operator: Account, refused: Refused) -> None:
    ram = operator.ram
    ram.CreateUser(UserName="alice")
    made = ram.CreatePolicy(PolicyName="all", PolicyDocument=EVERYTHING, Description="d")["Policy"]
    assert (made["PolicyType"], made["DefaultVersion"]) == ("Custom", "v1")
    ram.AttachPolicyToUser(UserName="alice", PolicyName="all", PolicyType="Custom")
    ram.AttachPolicyToUser(UserName="alice", **READING)
    with refused("EntityAlreadyExists.User.Policy", 409, "ReadOnlyAccess"):
        ram.AttachPolicyToUser(UserName="alice", **READING)
    listed = ram.ListPoliciesForUser(UserName="alice")["Policies"]["Policy"]
    assert [(each["PolicyName"], each["PolicyType"]) for each in listed] == [
        ("ReadOnlyAccess", "System"),
        ("all", "Custom"),
    ]
    shown = ram.GetPolicy(PolicyName="all", PolicyType="Custom")
    assert shown["Policy"]["AttachmentCount"] == 1
    assert shown["DefaultPolicyVersion"]["PolicyDocument"] == EVERYTHING
    with refused("DeleteConflict.User.Policy", 409, "ReadOnlyAccess, all"):
        ram.DeleteUser(UserName="alice")
    with refused("DeleteConflict.Policy.User", 409, "ListEntitiesForPolicy"):
        ram.DeletePolicy(PolicyName="all")
    ram.DetachPolicyFromUser(UserName="alice", **READING)
    with refused("EntityNotExist.User.Policy", 404, "ReadOnlyAccess"):
        ram.DetachPolicyFromUser(UserName="alice", **READING)
    (entity,) = ram.ListEntitiesForPolicy(PolicyName="all", PolicyType="Custom")["Users"]["User"]
    assert entity["UserName"] == "alice"
    ram.CreatePolicyVersion(PolicyName="all", PolicyDocument=EVERYTHING)
    with refused("DeleteConflict.Policy.User", 409, "ListEntitiesForPolicy"):
        ram.DeletePolicy(PolicyName="all", CascadingDelete=True)
    ram.DetachPolicyFromUser(UserName="alice", PolicyName="all", PolicyType="Custom")
    with refused("DeleteConflict.Policy.Version", 409):
        ram.DeletePolicy(PolicyName="all")
    ram.DeletePolicy(PolicyName="all", CascadingDelete=True)
    assert ram.ListPoliciesForUser(UserName="alice")["Policies"]["Policy"] == []
    for name, kind in (("all", "Custom"), ("NoSuchAccess", "System"), ("all", "System")):
        with refused("EntityNotExist.Policy", 404, name):
            ram.AttachPolicyToUser(UserName="alice", PolicyName=name, PolicyType=kind)


def test_a_policy_that_cannot_be_applied_is_refused(operator: Account, refused: Refused) -> None:
    for text, why in (
        ("allow me", "no JSON"),
        ("[" * 6000, "Expected object"),
        ('{"Version":"1","Statement":' + "[" * 6000, "Expected object"),
        (" " * 7000, "6144 are possible"),
        (document(allow("DeleteVpc")), "'DeleteVpc' is no action"),
        (document(*[allow("vpc:*")] * 500), "6144 are possible"),
        (document(allow("*", Condition={"StringIs": {"a": "b"}})), "StringIs"),
        ("\x00", "no JSON"),
    ):
        with refused("MalformedPolicyDocument", 400, "PolicyDocument", why):
            operator.ram.CreatePolicy(PolicyName="bad", PolicyDocument=text)
    with refused("EntityAlreadyExists.Policy", 409):
        operator.ram.CreatePolicy(PolicyName="ReadOnlyAccess", PolicyDocument=EVERYTHING)
    with refused("InvalidParameter.Tag", 400, "no tags here"):
        operator.ram.CreatePolicy(
            PolicyName="all", PolicyDocument=EVERYTHING, Tag=[{"Key": "a", "Value": "b"}]
        )


def test_versions_of_a_policy(operator: Account, refused: Refused) -> None:
    ram = operator.ram
    ram.CreatePolicy(PolicyName="p", PolicyDocument=EVERYTHING)
    other = document(allow("vpc:*"))
    made = ram.CreatePolicyVersion(PolicyName="p", PolicyDocument=other)["PolicyVersion"]
    assert (made["VersionId"], made["IsDefaultVersion"]) == ("v2", False)
    assert ram.GetPolicy(PolicyName="p", PolicyType="Custom")["Policy"]["DefaultVersion"] == "v1"
    ram.SetDefaultPolicyVersion(PolicyName="p", VersionId="v2")
    holding = ram.GetPolicy(PolicyName="p", PolicyType="Custom")["DefaultPolicyVersion"]
    assert (holding["VersionId"], holding["PolicyDocument"]) == ("v2", other)
    with refused("DeleteConflict.PolicyVersion.Default", 409, "SetDefaultPolicyVersion"):
        ram.DeletePolicyVersion(PolicyName="p", VersionId="v2")
    with refused("DeleteConflict.Policy.Version", 409, "DeletePolicyVersion"):
        ram.DeletePolicy(PolicyName="p")
    for _ in range(3):
        ram.CreatePolicyVersion(PolicyName="p", PolicyDocument=EVERYTHING, SetAsDefault=True)
    with refused("LimitExceeded.Policy.Version", 409, "limit of 5"):
        ram.CreatePolicyVersion(PolicyName="p", PolicyDocument=EVERYTHING)
    ram.CreatePolicyVersion(
        PolicyName="p",
        PolicyDocument=other,
        RotateStrategy="DeleteOldestNonDefaultVersionWhenLimitExceeded",
    )
    listed = ram.ListPolicyVersions(PolicyName="p", PolicyType="Custom")["PolicyVersions"]
    named = [(each["VersionId"], each["IsDefaultVersion"]) for each in listed["PolicyVersion"]]
    assert named == [("v2", False), ("v3", False), ("v4", False), ("v5", True), ("v6", False)]
    with refused("EntityNotExist.Policy.Version", 404, "'v1'"):
        ram.GetPolicyVersion(PolicyName="p", PolicyType="Custom", VersionId="v1")
    for version in ("v2", "v3", "v4", "v6"):
        ram.DeletePolicyVersion(PolicyName="p", VersionId=version)
    ram.DeletePolicy(PolicyName="p")


def test_policies_that_are_there_without_anybody_writing_them(operator: Account) -> None:
    listed = operator.ram.ListPolicies(PolicyType="System")["Policies"]["Policy"]
    names = {each["PolicyName"] for each in listed}
    assert names >= {
        "AdministratorAccess",
        "ReadOnlyAccess",
        "AliyunPrivateLinkFullAccess",
        "AliyunPrivateLinkReadOnlyAccess",
        "AliyunVPCFullAccess",
        "AliyunVPCReadOnlyAccess",
        "AliyunECSFullAccess",
        "AliyunNLBFullAccess",
        "AliyunSLBFullAccess",
        "AliyunSTSAssumeRoleAccess",
    }
    operator.ram.CreatePolicy(PolicyName="own", PolicyDocument=EVERYTHING)
    first = operator.ram.ListPolicies(MaxItems=3)
    assert first["IsTruncated"] is True
    own = operator.ram.ListPolicies(PolicyType="Custom")["Policies"]["Policy"]
    assert [each["PolicyName"] for each in own] == ["own"]
    shown = operator.ram.GetPolicyVersion(
        PolicyName="AdministratorAccess", PolicyType="System", VersionId="v1"
    )
    assert '"*"' in shown["PolicyVersion"]["PolicyDocument"]


def test_a_role_from_creation_to_deletion(operator: Account, refused: Refused) -> None:
    ram = operator.ram
    trusted = trust(f"acs:ram::{operator.id}:root")
    made = ram.CreateRole(
        RoleName="guest", AssumeRolePolicyDocument=trusted, MaxSessionDuration=7200
    )["Role"]
    assert made["Arn"] == f"acs:ram::{operator.id}:role/guest"
    assert made["AssumeRolePolicyDocument"] == trusted
    with refused("EntityAlreadyExists.Role", 409, "'guest'"):
        ram.CreateRole(RoleName="guest", AssumeRolePolicyDocument=trusted)
    shown = ram.GetRole(RoleName="guest")["Role"]
    assert (shown["MaxSessionDuration"], shown["IsServiceLinkedRole"]) == (7200, False)
    changed = ram.UpdateRole(RoleName="guest", NewDescription="d", NewMaxSessionDuration=3600)
    assert (changed["Role"]["Description"], changed["Role"]["MaxSessionDuration"]) == ("d", 3600)
    ram.AttachPolicyToRole(RoleName="guest", **READING)
    with refused("EntityAlreadyExists.Role.Policy", 409):
        ram.AttachPolicyToRole(RoleName="guest", **READING)
    (listed,) = ram.ListPoliciesForRole(RoleName="guest")["Policies"]["Policy"]
    assert listed["PolicyName"] == "ReadOnlyAccess"
    (entity,) = ram.ListEntitiesForPolicy(**READING)["Roles"]["Role"]
    assert entity["RoleId"] == made["RoleId"]
    with refused("DeleteConflict.Role.Policy", 409, "ReadOnlyAccess", "DetachPolicyFromRole"):
        ram.DeleteRole(RoleName="guest")
    ram.DetachPolicyFromRole(RoleName="guest", **READING)
    with refused("EntityNotExist.Role.Policy", 404):
        ram.DetachPolicyFromRole(RoleName="guest", **READING)
    ram.DeleteRole(RoleName="guest")
    assert ram.ListRoles()["Roles"]["Role"] == []
    with refused("EntityNotExist.Role", 404, "'guest'"):
        ram.GetRole(RoleName="guest")


def test_a_role_needs_somebody_it_trusts(operator: Account, refused: Refused) -> None:
    for text in (EVERYTHING, trust("*"), trust("acs:ram::*:root"), "{}", "[" * 2000):
        with refused("MalformedPolicyDocument", 400, "AssumeRolePolicyDocument"):
            operator.ram.CreateRole(RoleName="guest", AssumeRolePolicyDocument=text)
    role(operator, "guest")
    with refused("MalformedPolicyDocument", 400, "NewAssumeRolePolicyDocument"):
        operator.ram.UpdateRole(RoleName="guest", NewAssumeRolePolicyDocument=EVERYTHING)
    with refused("InvalidParameter.RoleName", 400, "the cloud's"):
        role(operator, "AliyunServiceRoleForMe")


def test_limits(operator: Account, refused: Refused) -> None:
    ram, own = operator.ram, operator.own
    ram.CreateUser(UserName="alice")
    role(operator, "guest")
    for quota in (
        *("ram_quota_users", "ram_quota_roles", "ram_quota_policies"),
        *("ram_quota_policies_per_user", "ram_quota_policies_per_role"),
    ):
        own.call("SetQuota", QuotaName=quota, Limit=0)
    with refused("LimitExceeded.User", 409):
        ram.CreateUser(UserName="bob")
    with refused("LimitExceeded.Role", 409):
        role(operator, "host")
    with refused("LimitExceeded.Policy", 409):
        ram.CreatePolicy(PolicyName="p", PolicyDocument=EVERYTHING)
    with refused("LimitExceeded.User.Policy", 409, "alice"):
        ram.AttachPolicyToUser(UserName="alice", **READING)
    with refused("LimitExceeded.Role.Policy", 409, "guest"):
        ram.AttachPolicyToRole(RoleName="guest", **READING)


def test_a_secret_is_given_once(stage: Stage, operator: Account) -> None:
    operator.ram.CreateUser(UserName="alice")
    token = {"UserName": "alice", "ClientToken": "again"}
    client = operator.own
    first, second = (
        client.call("CreateAccessKey", version="2015-05-01", **token)["AccessKey"] for _ in "12"
    )
    assert first["AccessKeyId"] != second["AccessKeyId"]
    assert stage.dump()["client_token"] == []


def test_a_global_product_takes_any_region(operator: Account) -> None:
    client = operator.own
    for version, action in (("2015-05-01", "ListUsers"), ("2015-04-01", "GetCallerIdentity")):
        client.call(action, version=version, RegionId="cn-hangzhou")
    with pytest.raises(Exception, match="RegionNotFound"):
        client.call("DescribeVpcs", version="2016-04-28", RegionId="cn-hangzhou")


def test_the_sdk_reads_a_refusal(stage: Stage, operator: Account) -> None:
    operator.ram.CreateUser(UserName="alice")
    key = operator.ram.CreateAccessKey(UserName="alice")["AccessKey"]
    alice = Account(stage.host, operator.id, key["AccessKeyId"], key["AccessKeySecret"])
    with pytest.raises(DaraException) as caught:
        alice.ram.ListUsers()
    detail = caught.value.access_denied_detail  # type: ignore[attr-defined]
    user_id = operator.ram.GetUser(UserName="alice")["User"]["UserId"]
    assert detail == {
        "AuthAction": "ram:ListUsers",
        "AuthPrincipalType": "SubUser",
        "AuthPrincipalOwnerId": operator.id,
        "AuthPrincipalDisplayName": user_id,
        "PolicyType": "AccountLevelIdentityBasedPolicy",
        "NoPermissionType": "ImplicitDeny",
    }
