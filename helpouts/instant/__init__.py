"""Help right now: who is there, who asks, whose device rings, and the line in front of a busy expert."""
