"""Coupons: codes that take something off the price of a session, at the cost of the expert who gives them."""
