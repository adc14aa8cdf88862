"""The configured accounts with their plugins: for one message, what each would send, at what price, within what bounds.

What stands in an account's way for good is found here; what does so just now, by `tocsin.delivery.survey`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import attrs

from tocsin.errors import NotFound, PluginError
from tocsin.model.account import Account, Capabilities, Limits
from tocsin.model.ids import AccountId
from tocsin.model.limits import FleetLimits, OptOut
from tocsin.model.message import Message, MessageClass
from tocsin.model.phone import E164
from tocsin.model.submission import Submission
from tocsin.outbox.spending import Bounds, Budgets
from tocsin.policy.route import CLASS_RULES, Route, Rules
from tocsin.policy.signature import is_signed, sign
from tocsin.registry import Registry


@attrs.frozen(kw_only=True)
class Offer:
    """What one account would send of a message to one recipient.

    Args:
        obstacles: each reason why it cannot, in words; empty where it can.
        text: as it would leave, signature and all.
        segments: that it takes, as the vendor counts.
        cost: of those; None where the account has no price.
    """

    obstacles: tuple[str, ...] = ()
    text: str = attrs.field(default="", repr=False)
    segments: int = 1
    cost: Decimal | None = None


@attrs.frozen(kw_only=True)
class Fleet:
    """Accounts, routes and plugins of one configuration.

    Args:
        keywords: returns the words that an account's vendor was last known to refuse.
        limits: what holds for all accounts together.
        opt_out: who is not sent to, and in which classes all the same.
        budgets: of retries and of copies out of doubt.
    """

    registry: Registry
    accounts: Mapping[AccountId, Account]
    routes: tuple[Route, ...]
    keywords: Callable[[AccountId], tuple[str, ...]] = lambda _: ()
    limits: FleetLimits = attrs.field(factory=FleetLimits)
    opt_out: OptOut = attrs.field(factory=OptOut)
    budgets: Budgets = attrs.field(factory=Budgets)

    def account(self, name: AccountId) -> Account:
        """Return the account of that name.

        Raises:
            NotFound: the configuration has none.
        """
        try:
            return self.accounts[name]
        except KeyError:
            raise NotFound(f"no account is called {name}") from None

    def route(self, name: str) -> Route | None:
        """Return the route of that name; None where the configuration has it no more."""
        return next((route for route in self.routes if route.name == name), None)

    def rules(self, route: str, cls: MessageClass) -> Rules:
        """Return how a delivery is treated: by its route, or by its class alone where the route is gone."""
        found = self.route(route)
        return CLASS_RULES[cls] if found is None else found.rules_for(cls)

    def bounds(self, account: AccountId, cls: MessageClass) -> Bounds:
        """Return what a request of that class through the account has to keep to."""
        own = self.accounts[account].limits if account in self.accounts else Limits()
        return Bounds(
            submits=own.submits,
            per_recipient=own.per_recipient,
            by_account=own.limit_scope == "account",
            overall=self.limits.for_recipient(cls),
            account_cap=own.spend_per_day,
            fleet_cap=self.limits.spend_per_day,
            resends_freely=cls is MessageClass.CRITICAL,
            budgets=self.budgets,
            spares_opted_out=cls not in self.opt_out.exempt,
        )

    def offer(self, name: AccountId, message: Message, to: E164) -> Offer:
        """Return what the account would send of a message, and what stands in its way."""
        account = self.accounts.get(name)
        if account is None:
            return Offer(obstacles=("the configuration has this account no more",))
        try:
            plugin = self.registry.plugin_for(account)
            capabilities = plugin.capabilities(account)
            company = dict.fromkeys((to, *message.to[: capabilities.min_recipients]))
            submission = submission_for(account, message, tuple(company)[: capabilities.min_recipients])
            found = (
                _missing_signature(capabilities, submission),
                plugin.fits(account, submission),
                self._refused_word(name, message.text),
            )
        except PluginError as error:
            return Offer(obstacles=(str(error),))
        segments = 1 if submission.is_mms else capabilities.segments.count(submission.text)
        return Offer(
            obstacles=tuple(obstacle for obstacle in found if obstacle),
            text=submission.text,
            segments=segments,
            cost=None if account.price is None else account.price * segments,
        )

    def max_group(self, account: Account) -> int:
        """Return how many recipients one submit of the account may hold; one where its plugin fails to say."""
        try:
            capabilities = self.registry.plugin_for(account).capabilities(account)
        except PluginError:
            return 1  # the submit will tell, and move on
        return min(account.limits.max_recipients, capabilities.max_recipients)

    def personalised(self, account: Account) -> bool:
        """Say whether one submit of the account may hold different texts."""
        try:
            return self.registry.plugin_for(account).capabilities(account).personalised
        except PluginError:
            return False

    def unfit(self, account: Account, submission: Submission) -> str:
        """Say why the account cannot carry the submission; empty where it can, or where its plugin fails to say."""
        try:
            return self.registry.plugin_for(account).fits(account, submission)
        except PluginError:
            return ""  # the submit will tell, and move on

    def _refused_word(self, name: AccountId, text: str) -> str:
        """Screen a text by the vendor's own list. The word is not repeated: it is a piece of the text."""
        refused = any(word in text for word in self.keywords(name))
        return "the text holds a word on the vendor's list" if refused else ""


def submission_for(account: Account, message: Message, to: tuple[E164, ...]) -> Submission:
    """Return what the account would submit: the text under its signature rule, and all else as it is.

    A multimedia message is exempt: nothing is appended to its container.
    """
    text = message.text if message.attachments else sign(message.text, account.signature)
    return Submission(
        to=to,
        texts=(text,),
        extension=message.extension,
        send_at=message.send_at,
        subject=message.subject,
        attachments=message.attachments,
    )


def _missing_signature(capabilities: Capabilities, submission: Submission) -> str:
    if not capabilities.signature_required or submission.is_mms or is_signed(submission.text):
        return ""
    return "the vendor demands a signature, and neither the text nor the account has one"
