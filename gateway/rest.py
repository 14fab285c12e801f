"""The REST interface, assembled from the parts of one process."""

from gateway.container import Container
from gateway.gateway import Gateway
from gateway.scenes import Scenes
from gateway.settings import Settings
from routers.rest.api import Api, DraftTerms
from routers.rest.tokens import Tokens
from state.api_keys import ApiKeys
from state.inbox import Inbox
from state.onlookers import Onlookers
from state.scripts import Scripts


def rest_api(
    gateway: Gateway,
    settings: Settings,
    container: Container,
    *,
    scripts: Scripts,
    inbox: Inbox,
    onlookers: Onlookers,
) -> Api:
    """Return what the routes under ``/v1`` work with."""
    expiry = settings.expiry.conversation
    return Api(
        keys=ApiKeys(scripts.calls, scripts.keys),
        scripts=scripts,
        storage=container.storage,
        inbox=inbox,
        scenes=Scenes(gateway, container.bots, container.storage, scripts, conversation_expires_after=expiry),
        bots={name: bot.bot_id for name, bot in settings.telegram.bots.items()},
        states=gateway.states,
        drafts={
            key: DraftTerms(manager.shape(), manager.expires_after)
            for feature in gateway.features.values()
            for key, manager in zip(feature.draft_keys, feature.managers, strict=True)
        },
        strategy=gateway.strategy,
        onlookers=onlookers,
        tokens=_tokens(settings),
    )


def _tokens(settings: Settings) -> Tokens | None:
    if settings.jwt is None:
        return None
    return Tokens(
        str(settings.jwt.jwks_url),
        issuer=settings.jwt.issuer,
        audience=settings.jwt.audience,
        bots=settings.telegram.ids,
    )
