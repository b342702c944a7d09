"""Find a listing, book its next free time, and cancel: ``python sample_book.py https://helpouts.example TOKEN``."""

import json
import sys
import urllib.request
import uuid


def call(method, path, body=None, **headers):
    """One request; the answer as Python values."""
    data = None if body is None else json.dumps(body).encode()
    headers |= {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{site}/api/v1{path}", data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


site, token = sys.argv[1:]
found = call("GET", "/listings?q=router&sort=next_free")["items"][0]
listing = call("GET", f"/listings/{found['slug']}")
starts = call("GET", f"/listings/{found['slug']}/slots")["starts"]
answers = {question["key"]: "I tell you then." for question in listing["questions"] if question["required"]}
booking = {"listing": found["slug"], "start": starts[-1], "answers": answers}
made = call("POST", "/bookings", booking, **{"Idempotency-Key": str(uuid.uuid4())})
print(f"{made['title']} with {made['other']}, {made['starts_at']}: {made['state']}")

gone = call("POST", f"/bookings/{made['id']}/cancel", {"reason": "Only a test."})
print(f"{gone['booking']['state']}, charged {gone['charged_minor']} {made['currency']} cents")
