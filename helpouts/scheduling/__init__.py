"""When an expert is free: rules in wall minutes, one sweep in UTC, slots as the viewer reads them."""
