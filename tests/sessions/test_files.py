"""Files and snapshots of a room: who may send and fetch what, sealed where they lie, deleted in time."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import func, select

from helpouts.accounts.export import export_data
from helpouts.accounts.models import User
from helpouts.audit.actor import SYSTEM
from helpouts.clock import clock
from helpouts.errors import HelpoutsError
from helpouts.i18n import use_locale
from helpouts.sessions import files, pictures, service
from helpouts.sessions.file_types import sniff, tidy_name
from helpouts.sessions.models import LiveEvent, RoomMessage
from helpouts.sessions.tool_models import RoomFile
from helpouts.storage import StorageError
from helpouts.storage import service as storage
from helpouts.testing.factories import make_booking, make_customer, make_expert, make_listing, make_user
from helpouts.web.app import create_app

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def picture(width, height, color="teal", kind="PNG", **values):
    out = io.BytesIO()
    Image.new("RGB", (width, height), color).save(out, kind, **values)
    return out


class Room:
    """An open room, its people, and their browsers."""

    def __init__(self, runtime):
        self.runtime = runtime
        with runtime.database.write() as db:
            booking = make_booking(db, make_listing(db, make_expert(db)), make_customer(db))
            session = service.session_of(db, booking)
            clock.set(booking.starts_at)
            for user in (booking.host_id, booking.customer_id):
                service.join(db, session, user, "node", "")
            self.id, self.session_id = session.room_id, session.id
            self.host, self.customer = booking.host_id, booking.customer_id
            self.stranger = make_user(db, "Sam Other").id
            self.booking = booking.public_id
        self.app = create_app(runtime)

    def browser(self, user_id):
        client = self.app.test_client()
        with self.runtime.database.read() as db:
            known = db.get_one(User, user_id).fs_uniquifier
        with client.session_transaction() as session:
            session["_user_id"], session["_fresh"], session["fs_cc"] = known, True, "set"
        return client

    def send(self, client, content=b"hello there", name="note.txt", client_id="c1", path="files", method="post"):
        page = client.get("/").text
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
        url = f"/room/{self.id}/{path}?client_id={client_id}&name={name}"
        headers = {"X-CSRFToken": token, "Content-Type": "application/octet-stream"}
        return getattr(client, method)(url, data=content, headers=headers)

    def end(self):
        with self.runtime.database.write() as db:
            service.end(db, db.get_one(service.Session, self.session_id), "expert", SYSTEM)


@pytest.fixture
def room(runtime):
    return Room(runtime)


def test_a_file_is_sent_once_and_fetched_by_both_as_an_attachment(room):
    customer, host = room.browser(room.customer), room.browser(room.host)
    sent = room.send(customer, name="W%C3%A4sche%20%22x%22.txt")
    assert sent.status_code == 200, sent.text
    assert room.send(customer, name="W%C3%A4sche%20%22x%22.txt").json == sent.json
    found = sent.json["file"]
    assert (found["name"], found["size"]) == ("Wäsche _x_.txt", 11)
    for browser in (customer, host):
        answer = browser.get(f"/room/{room.id}/files/{found['id']}")
        assert answer.data == b"hello there"
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=Wasche__x_.txt")
        assert "filename*=UTF-8''W%C3%A4sche%20_x_.txt" in answer.headers["Content-Disposition"]
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer.headers["Cache-Control"] == "private, no-store"
    with room.runtime.database.read() as db:
        assert db.scalar(select(func.count()).select_from(RoomFile)) == 1
        assert db.scalar(select(func.count()).select_from(RoomMessage)) == 1
        assert db.scalar(select(LiveEvent.payload).where(LiveEvent.topic == f"room:{room.id}")) == {"type": "chat"}


def test_nobody_else_can_fetch_or_send(room):
    found = room.send(room.browser(room.customer)).json["file"]
    stranger = room.browser(room.stranger)
    assert stranger.get(f"/room/{room.id}/files/{found['id']}").status_code == 404
    assert room.send(stranger).status_code == 404
    nobody = room.app.test_client()
    assert nobody.get(f"/room/{room.id}/files/{found['id']}").status_code == 302
    assert room.browser(room.customer).post(f"/room/{room.id}/files?client_id=x", data=b"x").status_code == 400


def test_what_lies_in_the_storage_cannot_be_read(room):
    secret = b"the password is swordfish" * 100
    room.send(room.browser(room.customer), secret)
    stored = [path.read_bytes() for path in (room.runtime.config.data_dir / "storage").rglob("*") if path.is_file()]
    assert len(stored) == 1
    assert b"swordfish" not in stored[0]


@one_database
@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "a.txt", "empty"),
        (b"MZ\x90\x00", "a.txt", "Programs"),
        (b"\x7fELF....", "notes", "Programs"),
        (b"echo", "run.BAT", "Programs"),
    ],
)
def test_an_empty_file_and_a_program_are_refused(room, content, name, words):
    answer = room.send(room.browser(room.customer), content, name)
    assert answer.status_code == 400
    assert words in answer.json["error"]
    assert not list(storage.references(room.runtime, "rooms/"))


@one_database
def test_a_file_that_is_too_large_is_refused_before_it_is_read(room):
    answer = room.send(room.browser(room.customer), b"x" * (files.MOST_BYTES + 1))
    assert answer.status_code == 413
    almost = room.send(room.browser(room.customer), b"x" * (9 * 1024 * 1024))
    assert almost.status_code == 200, "more than an ordinary form may bring"


def test_a_session_keeps_so_much_and_no_more(room, monkeypatch):
    monkeypatch.setattr(files, "MOST_TOGETHER", 20)
    customer = room.browser(room.customer)
    assert room.send(customer).status_code == 200
    refused = room.send(customer, client_id="c2")
    assert (refused.status_code, "at most 20 B together" in refused.json["error"]) == (409, True)


def test_after_the_session_files_are_kept_and_none_is_taken(room):
    customer = room.browser(room.customer)
    found = room.send(customer).json["file"]
    room.end()
    assert room.send(customer, client_id="c2").status_code == 409
    assert customer.get(f"/room/{room.id}/files/{found['id']}").data == b"hello there"


def test_a_picture_has_a_preview_without_what_its_camera_wrote_into_it(room):
    exif = Image.Exif()
    exif[0x010F] = "Secret camera"
    found = room.send(
        room.browser(room.customer), picture(1200, 900, kind="JPEG", exif=exif).getvalue(), "photo.jpg"
    ).json["file"]
    assert found["picture"] is True
    answer = room.browser(room.host).get(f"/room/{room.id}/files/{found['id']}/preview")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert b"Secret camera" not in answer.data
    assert Image.open(io.BytesIO(answer.data)).size == (640, 480)


@one_database
def test_a_bomb_of_a_picture_is_a_file_like_any_other(room, monkeypatch):
    monkeypatch.setattr(pictures, "MOST_PIXELS", 100)
    found = room.send(room.browser(room.customer), picture(50, 50).getvalue(), "big.png").json["file"]
    assert found["picture"] is False
    broken = room.send(room.browser(room.customer), b"\x89PNG\r\n\x1a\nbroken", "b.png", client_id="c2")
    assert broken.json["file"]["picture"] is False


def test_a_snapshot_is_kept_as_png_and_saved_again_with_its_drawing(room):
    host = room.browser(room.host)
    found = room.send(host, picture(400, 300, kind="JPEG").getvalue(), path="snapshots").json["file"]
    first = host.get(f"/room/{room.id}/snapshots/{found['id']}")
    assert (first.headers["Content-Type"], Image.open(io.BytesIO(first.data)).size) == ("image/png", (400, 300))
    drawn = picture(400, 300, "red").getvalue()
    assert room.send(host, drawn, path=f"snapshots/{found['id']}", method="put").status_code == 200
    again = Image.open(io.BytesIO(room.browser(room.customer).get(f"/room/{room.id}/snapshots/{found['id']}").data))
    assert again.getpixel((5, 5)) == (255, 0, 0)
    assert room.send(host, b"no picture", client_id="c2", path="snapshots").status_code == 400
    assert len(list(storage.references(room.runtime, "rooms/"))) == 2


def test_a_content_whose_line_cannot_be_written_is_removed_again(room, monkeypatch):
    def fail(*_):
        raise StorageError("no")

    monkeypatch.setattr(files, "_write", fail)
    assert room.send(room.browser(room.customer)).status_code == 503
    assert not list(storage.references(room.runtime, "rooms/"))


def test_files_are_deleted_when_their_time_is_over_and_their_lines_stay(room):
    customer = room.browser(room.customer)
    found = room.send(customer, picture(50, 50).getvalue(), "p.png").json["file"]
    assert files.tidy(room.runtime, 0, {}) is None
    clock.advance(timedelta(days=91))
    effect = files.tidy(room.runtime, 0, {})
    room.runtime.database.run(effect)
    assert not list(storage.references(room.runtime, "rooms/"))
    assert room.browser(room.customer).get(f"/room/{room.id}/files/{found['id']}").status_code == 404
    with room.runtime.database.read() as db:
        assert db.scalars(select(RoomMessage.body)).all() == ["p.png"]
    assert files.tidy(room.runtime, 0, {}) is None


def test_the_export_of_a_person_names_what_they_sent(room):
    room.send(room.browser(room.customer))
    with room.runtime.database.read() as db:
        mine = export_data(db, db.get_one(User, room.customer))
        theirs = export_data(db, db.get_one(User, room.host))
    assert [(row["name"], row["size"]) for row in mine["room_files"]] == [("note.txt", 11)]
    assert theirs["room_files"] == []
    assert len(theirs["room_presence"]) == 1


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7", "application/pdf"),
        (b"PK\x03\x04", "application/zip"),
        ("Grüße\n".encode(), "text/plain"),
        (b"<html><script>", "text/plain"),
        (b"\x00\x01\x02", "application/octet-stream"),
        ("ä".encode() * 400, "text/plain"),
    ],
)
def test_a_file_is_what_it_begins_with(head, media_type):
    assert sniff(head) == media_type


@pytest.mark.parametrize(
    ("name", "tidy"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\plan.pdf", "plan.pdf"),
        ("a\0b\u202egnp.exe", "abgnp.exe"),
        ("...", "file"),
        ("x" * 200 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_names_of_files_are_made_harmless(name, tidy):
    assert tidy_name(name) == tidy


def test_sizes_are_written_as_people_read_them():
    from helpouts.formatting import size

    with use_locale("de"):
        assert [size(n) for n in (0, 999, 1000, 999_499, 999_600, 1_440_000)] == [
            "0 B",
            "999 B",
            "1 kB",
            "999 kB",
            "1 MB",
            "1,4 MB",
        ]


def test_nothing_is_kept_without_a_name_for_it(room):
    with room.runtime.database.write() as db, pytest.raises(HelpoutsError):
        files.check_room_for(db, db.get_one(service.Session, room.session_id), room.host, "", 1)
