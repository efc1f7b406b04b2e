"""Two validators, one verdict: what the fast one accepts, the one that explains has nothing to say of."""

import copy

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st
from support.manifest_examples import KINDS, accepted, documents, refused, validator
from support.vendors import schema

from reconciler.provider.manifest_schema import derive
from reconciler.validation.explain import reference_validator

EXAMPLES = [documents(path)[0] for path in (*accepted(), *refused())]
SCHEMAS = {kind: derive(schema(name, "client"), kind) for kind, name in KINDS.items()}
REFERENCES = {kind: reference_validator(of) for kind, of in SCHEMAS.items()}
NAMES = sorted({name for of in SCHEMAS.values() for name in of["$defs"]["spec"]["properties"]})

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(0, 100_000)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(
        ["AUTHORIZATION_CODE", "REFRESH_TOKEN", "ES256", "ec", "rsa", "a\n", "0", "https://a/b"]
    )
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["env", "file", "id", "name", "type", "vault"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def places(node, path=()):
    yield path
    members = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for name, member in members:
        yield from places(member, (*path, name))


@st.composite
def mutated(draw):
    """An example with up to three of its values replaced, taken away or added to."""
    manifest = copy.deepcopy(draw(st.sampled_from(EXAMPLES)))
    for _ in range(draw(st.integers(0, 3))):
        *way, last = draw(st.sampled_from([path for path in places(manifest) if path]))
        holder = manifest
        for step in way:
            holder = holder[step]
        change = draw(st.sampled_from(["replace", "remove", "add"]))
        if change == "replace":
            holder[last] = draw(values)
        elif change == "remove":
            del holder[last]
        elif isinstance(holder, dict):
            holder[draw(st.sampled_from(NAMES) | st.text(max_size=5))] = draw(values)
        else:
            holder.append(draw(values))
    return manifest


@settings(deadline=None, max_examples=250)
@given(manifest=mutated() | values, kind=st.sampled_from(sorted(KINDS)))
def test_both_validators_give_one_verdict_and_what_is_refused_is_explained(manifest, kind):
    fast = validator(kind).accepts(manifest)
    slow = REFERENCES[kind].is_valid(manifest)

    problems = validator(kind).problems(manifest)

    assert fast == slow
    assert bool(problems) == (not fast)
    assert len(set(problems)) == len(problems)


@settings(deadline=None, max_examples=50)
@given(manifest=mutated(), kind=st.sampled_from(sorted(KINDS)))
def test_the_reference_validator_is_the_standards_one_but_for_the_end_of_a_line(manifest, kind):
    plain = jsonschema.Draft202012Validator(SCHEMAS[kind]).is_valid(manifest)

    ours = REFERENCES[kind].is_valid(manifest)

    assert plain == ours or "\\n" in repr(manifest)
