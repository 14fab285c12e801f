"""`[sources.<name>.options]`: what each kind takes, told like every other wrong setting, and never shown."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.settings import Settings, SettingsError, load_settings
from routers.registry import providers

BOT = '[telegram.bots.main]\ntoken = "42:demo"\nsecret_token = "secret"\n'
OPTIONS = {kind: provider.options for kind, provider in providers().items()}


def loaded(tmp_path: Path, kind: str, options: str, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings with one source."""
    file = tmp_path / "gateway.toml"
    file.write_text(f'{BOT}[sources.s]\nkind = "{kind}"\nsecrets = ["x"]\n[sources.s.options]\n{options}\n')
    return load_settings(file, environ or {}, source_kinds=tuple(OPTIONS), source_options=OPTIONS)


@pytest.mark.parametrize(
    "kind, options, problem",
    [
        ("robokassa", 'digst = "md5"', "sources.s.options.digst: is not a setting; did you mean digest?"),
        (
            "robokassa",
            'digest = "crc"',
            "sources.s.options.digest: must be 'md5', 'sha1', 'sha256' or 'sha512'",
        ),
        ("tbank", 'networks = ["x"]', "sources.s.options.networks[0]: is not a network;"),
        ("stripe", 'api_base = "x"', "sources.s.options.api_base: is not an address;"),
        (
            "yookassa",
            "",
            "sources.s.options.shop_id: is missing; set it in gateway.toml, or as GATEWAY_",
        ),
        (
            "mollie",
            'path_secret = "env:NOT_SET"',
            "sources.s.options.path_secret: the environment variable NOT_SET is not set",
        ),
    ],
)
def test_a_wrong_option_is_told_with_its_place(tmp_path: Path, kind: str, options: str, problem: str) -> None:
    """As the provider declares it."""
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, kind, options)

    assert [line for line in caught.value.problems if line.startswith(problem)], caught.value.problems


def test_a_secret_among_the_options_is_left_out_of_the_log(tmp_path: Path) -> None:
    """Wherever it comes from; what is no secret may be logged."""
    settings = loaded(tmp_path, "mollie", 'path_secret = "env:HIDDEN"', {"HIDDEN": "geheim-geheim"})
    shop = loaded(tmp_path, "yookassa", 'shop_id = "54401"')

    assert "geheim-geheim" in set(settings.secrets())
    assert "geheim-geheim" not in repr(settings)
    assert "54401" not in set(shop.secrets())


def test_an_option_may_come_from_the_environment(tmp_path: Path) -> None:
    """As every other setting."""
    settings = loaded(tmp_path, "yookassa", "", {"GATEWAY_SOURCES__S__OPTIONS__SHOP_ID": "54401"})

    provider = providers()["yookassa"].configured(settings.sources["s"].options)
    assert provider.lookup is not None


def test_what_was_checked_makes_the_provider(tmp_path: Path) -> None:
    """The provider takes the checked values as it takes the written ones."""
    for kind, provider in providers().items():
        checked = provider.options.model_validate(provider.example_options)
        options = {name: getattr(checked, name) for name in checked.model_fields_set}

        assert provider.configured(options).kind == kind
