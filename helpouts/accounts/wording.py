"""What Flask-Security says, in our words; the keys are its own (``SECURITY_MSG_*``)."""

from __future__ import annotations

from typing import Any

from helpouts import i18n
from helpouts.i18n import lazy_gettext as _l

_password_again = _l("Enter your password once more: this is something that only you may do.")
_link_void = _l("This link is not good any more. Ask for a new one.")

MESSAGES: dict[str, tuple[Any, str]] = {
    "GENERIC_AUTHN_FAILED": (_l("Mail address or password is wrong."), "error"),
    "UNAUTHORIZED": (_l("You may not see this page."), "error"),
    "UNAUTHENTICATED": (_l("Sign in to see this page."), "info"),
    "REAUTHENTICATION_REQUIRED": (_password_again, "info"),
    "REAUTHENTICATION_SUCCESSFUL": (_l("Thank you."), "success"),
    "CONFIRM_REGISTRATION": (
        _l("Nearly there: open the link in the mail that we have just sent to %(email)s."),
        "success",
    ),
    "EMAIL_CONFIRMED": (_l("Your mail address is confirmed. Sign in and off you go."), "success"),
    "ALREADY_CONFIRMED": (_l("Your mail address was confirmed before. You can sign in."), "info"),
    "INVALID_CONFIRMATION_TOKEN": (_link_void, "error"),
    "CONFIRMATION_EXPIRED": (_link_void, "error"),
    "CONFIRMATION_REQUIRED": (_l("Confirm your mail address first."), "error"),
    "CONFIRMATION_REQUEST": (_l("If %(email)s is still to be confirmed, a mail with the link is on its way."), "info"),
    "PASSWORD_RESET_REQUEST": (_l("If there is an account with %(email)s, a mail with a link is on its way."), "info"),
    "PASSWORD_RESET_EXPIRED": (_link_void, "error"),
    "INVALID_RESET_PASSWORD_TOKEN": (_link_void, "error"),
    "PASSWORD_RESET_NO_LOGIN": (_l("Your new password is set. Sign in with it."), "success"),
    "PASSWORD_CHANGE": (_l("Your password is changed; all other devices are signed out."), "success"),
    "PASSWORD_IS_THE_SAME": (_l("This is your present password: choose another."), "error"),
    "PASSWORD_NOT_PROVIDED": (_l("Enter your password."), "error"),
    "RETYPE_PASSWORD_MISMATCH": (_l("The passwords differ."), "error"),
    "INVALID_PASSWORD": (_l("The password is wrong."), "error"),
    "INVALID_PASSWORD_CODE": (_l("Password or code is wrong."), "error"),
    "INVALID_EMAIL_ADDRESS": (_l("This is not a mail address: write it like name@example.org."), "error"),
    "EMAIL_NOT_PROVIDED": (_l("Tell us your mail address."), "error"),
    "EMAIL_ALREADY_ASSOCIATED": (_l("There is an account with the address %(email)s."), "error"),
    "USER_DOES_NOT_EXIST": (_l("There is no such account."), "error"),
    "DISABLED_ACCOUNT": (_l("This account is locked."), "error"),
    "INVALID_REDIRECT": (_l("That address does not belong to this site."), "error"),
    "INVALID_RECOVERY_CODE": (_l("This code is wrong or was used before."), "error"),
    "NO_RECOVERY_CODES_SETUP": (_l("You have no recovery codes yet."), "info"),
    "INVALID_CODE": (_l("The code is wrong."), "error"),
    "API_ERROR": (_l("This is not what was asked for."), "error"),
    "TWO_FACTOR_INVALID_TOKEN": (
        _l("The code is wrong, too old or was used before: enter the one that your app shows now."),
        "error",
    ),
    "TWO_FACTOR_LOGIN_SUCCESSFUL": (_l("Welcome back."), "success"),
    "TWO_FACTOR_CHANGE_METHOD_SUCCESSFUL": (
        _l("Done: from now on signing in needs your app as well. Now get your recovery codes."),
        "success",
    ),
    "TWO_FACTOR_PERMISSION_DENIED": (_l("Start again by signing in."), "error"),
    "TWO_FACTOR_METHOD_NOT_AVAILABLE": (_l("Choose one of the offered ways."), "error"),
    "TWO_FACTOR_DISABLED": (_l("From now on your password alone signs you in."), "success"),
    "TWO_FACTOR_SETUP_EXPIRED": (_l("That took too long. Please start over."), "error"),
}


class OurDomain:
    """Stands in for Flask-Security's translations: its texts go through our catalogues."""

    def gettext(self, string: object, **variables: Any) -> str:
        """The text in the language in force, filled in."""
        text = i18n.gettext(string) if type(string) is str else str(string)
        return text % variables if variables else text

    def ngettext(self, singular: str, plural: str, num: int, **variables: Any) -> str:
        """The form that fits the number."""
        return i18n.ngettext(singular, plural, num, **variables)

    @staticmethod
    def format_list(items: list[str], **_: Any) -> str:
        """A list in words."""
        return ", ".join(items)
