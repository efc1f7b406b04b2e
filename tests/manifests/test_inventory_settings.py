"""The project file's word on where the inventory is."""

import pytest

from reconciler.core.errors import InputError
from reconciler.manifests import project

HEAD = """apiVersion: reconciler/v1
kind: Project
targets:
  shop:
    provider: sailpoint
    baseUrl: https://shop.example.com
    auth: {token: {env: TOKEN}}
    manifests: [clients/*.yaml]
"""


def load(tmp_path, inventory):
    path = tmp_path / "reconciler.yaml"
    path.write_text(f"{HEAD}inventory: {inventory}\n")
    return project.load(str(path))


def test_an_inventory_is_in_files_unless_said_otherwise(tmp_path):
    loaded = load(tmp_path, "{}")

    assert loaded.inventory_directory == ".reconciler/inventory"
    assert loaded.inventory_url is None


def test_an_object_store_has_an_address_and_settings_that_are_no_secret(tmp_path):
    loaded = load(
        tmp_path,
        "{store: object, url: 's3://records/prod', region: eu-west-1, "
        "endpoint: 'http://127.0.0.1:9000', directory: local}",
    )

    assert loaded.inventory_url == "s3://records/prod"
    assert loaded.inventory_options == {
        "region": "eu-west-1",
        "endpoint": "http://127.0.0.1:9000",
    }
    assert loaded.inventory_directory == "local"


def test_azure_calls_the_account_by_another_name(tmp_path):
    loaded = load(tmp_path, "{store: object, url: 'az://records/prod', account: shop}")

    assert loaded.inventory_options == {"account_name": "shop"}


@pytest.mark.parametrize(
    ("inventory", "problem"),
    [
        ("{store: object}", "`store: object` needs the `url` of its bucket"),
        ("{store: cloud}", "is not one of file, object"),
        ("{url: 's3://records/prod'}", "belong to `store: object`"),
        ("{store: file, region: eu-west-1}", "belong to `store: object`"),
        ("{store: object, url: 'https://records/prod'}", "the address of a bucket"),
        ("{store: object, url: 's3://key:secret@records/prod'}", "the address of a bucket"),
        ("{store: object, url: 's3://r', endpoint: 'http://s3.example.com'}", "https address"),
        ("{store: object, url: 's3://r', secretKey: x}", "secretKey"),
    ],
)
def test_what_cannot_be_a_store_is_a_problem(tmp_path, inventory, problem):
    with pytest.raises(InputError) as caught:
        load(tmp_path, inventory)

    told = [each.message for each in caught.value.problems]
    assert len(told) == 1
    assert problem in told[0]
