"""How people become experts: applications, vetting rules, invitation codes."""

from helpouts.vetting.rule import Finding, VettingRule

__all__ = ["Finding", "VettingRule"]
