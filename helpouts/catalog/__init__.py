"""Experts, listings and the categories they stand in."""

from helpouts.catalog.category import (
    Category,
    CategoryField,
    Choice,
    ExampleListing,
    PriceGuidance,
    RoomTools,
    Subcategory,
)

__all__ = ["Category", "CategoryField", "Choice", "ExampleListing", "PriceGuidance", "RoomTools", "Subcategory"]
