from audit.bundle.identity import Identity
from audit.checks.load import load_policy
from audit.evidence.context import EvidenceContext
from audit.evidence.roles import ListedIn
from tests.conftest import ROOT


def test_a_policy_gives_roles_in_order_and_the_onion():
    policy = load_policy(ROOT / "policies" / "session")
    context = EvidenceContext.of(policy, identity=Identity())
    assert [role.name for role in context.roles] == list(policy.pack.peer_roles)
    assert any(isinstance(role.rule, ListedIn) for role in context.roles)
    assert context.onion is not None
    assert context.onion.paths == tuple(policy.pack.onion.paths)
    assert context.identity == Identity()


def test_without_a_policy_any_file_can_be_looked_at():
    context = EvidenceContext()
    assert (context.roles, context.onion, context.identity) == ((), None, None)
