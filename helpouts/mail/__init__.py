"""Mail: rendered in the receiver's language when promised, sent by a job."""
