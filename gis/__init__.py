"""The one map of a city: its registers, its layers, and every question that can be asked of them."""
