"""The pages on the way to becoming an expert, as a browser without JavaScript uses them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from helpouts import site as site_settings
from helpouts.accounts.service import create_user
from helpouts.audit.actor import SYSTEM, Actor
from helpouts.catalog.models import Expert
from helpouts.runtime import Runtime
from helpouts.vetting import service
from helpouts.vetting.models import Application
from helpouts.web.app import create_app

PASSWORD = "seven purple llamas"
FORM = {
    "category": "it",
    "kind": "individual",
    "name": "Jonas Weber",
    "email": "jonas@example.org",
    "subcategory": "networks",
    "experience": "Eleven years in the support team of an internet provider; I know every router by its lights.",
    "link": "",
    "is_adult": "y",
    "homepage": "",
}
PROFILE = {
    "step": "profile",
    "kind": "individual",
    "name": "Jonas Weber",
    "headline": "Home networks that simply work",
    "bio": "",
    "languages": ["de", "en"],
    "zone": "Europe/Berlin",
    "is_adult": "y",
}
Post = Callable[..., Any]

#: Most of what these tests look at does not depend on the database; the service's own tests run on both.
ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def client(runtime: Runtime) -> FlaskClient:
    """A browser that speaks English, with generous rate limits."""
    roomy = Runtime(runtime.config.replace(login_rate="1000 per minute"), runtime.database, runtime.registry)
    return browser(roomy)


def browser(runtime: Runtime) -> FlaskClient:
    made = create_app(runtime).test_client()
    made.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return made


@pytest.fixture
def post(client: FlaskClient) -> Post:
    """Sends a form with the token of the page it stands on."""

    def send(path: str, form_on: str = "", **values: Any) -> Any:
        page = client.get(form_on or path).text
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert found, f"no form on {form_on or path}"
        return client.post(path, data={"csrf_token": found[1], **values})

    return send


def sign_up(runtime: Runtime, post: Post, email: str = "jonas@example.org") -> None:
    with runtime.database.write() as db:
        create_user(db, email, PASSWORD, "Jonas Weber", confirmed=True)
    assert post("/login", email=email, password=PASSWORD).status_code in (302, 303)


def issue(runtime: Runtime, category: str = "it", email: str = "") -> str:
    with runtime.database.write() as db:
        return service.issue(db, category, email, SYSTEM)[1]


def applications(runtime: Runtime) -> int:
    with runtime.database.read() as db:
        return db.scalar(select(func.count(Application.id))) or 0


def test_from_the_interest_form_to_the_experts_own_pages(client: FlaskClient, post: Post, runtime: Runtime) -> None:
    assert "Information technology" in client.get("/become-an-expert").text
    answer = post("/become-an-expert", "/become-an-expert?category=it", **FORM)
    assert answer.status_code == 303
    own_page = answer.headers["Location"]
    assert "Thank you! We have your application." in client.get(own_page).text

    with runtime.database.write() as db:
        _, code = service.invite(db, db.scalars(select(Application)).one(), SYSTEM, "Welcome!")
    page = client.get(own_page).text
    assert "You are invited" in page
    assert "Welcome!" in page
    assert code not in page, "the code is in the mail only: this page has no sign-in"

    sign_up(runtime, post)
    page = client.get(f"/join?code={code}").text
    assert "Your code is good" in page
    answer = post("/join", f"/join?code={code}", code=code, **PROFILE)
    assert answer.status_code == 303
    assert client.get(answer.headers["Location"]).status_code == 200
    with runtime.database.read() as db:
        assert db.scalars(select(Expert)).one().name == "Jonas Weber"
        assert db.scalars(select(Application)).one().state == "joined"


@ONE_DATABASE
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "Tell us your name."),
        ({"name": "   "}, "Tell us your name."),
        ({"name": "x" * 121}, "at most 120 characters"),
        ({"email": ""}, "Tell us your mail address."),
        ({"email": "jonas"}, "not a mail address"),
        ({"email": "jonas@example.org, anna@example.org"}, "not a mail address"),
        ({"email": "x" * 250 + "@example.org"}, "too long"),
        ({"kind": "robot"}, "Not a valid choice"),
        ({"kind": ""}, "Choose one of the two."),
        ({"subcategory": "leaking taps"}, "Not a valid choice"),
        ({"experience": ""}, "Tell us what you can help with."),
        ({"experience": "x" * 4001}, "too long"),
        ({"link": "javascript:alert(1)"}, "not a web address"),
        ({"link": "x" * 301}, "too long"),
        ({"is_adult": ""}, "at least 18 years"),
        ({"category": "astrology"}, "Choose one of the fields"),
        ({"category": ""}, "Choose one of the fields"),
        ({"csrf_token": "forged"}, ""),
    ],
)
def test_bad_input_gets_a_clear_message_and_changes_nothing(
    post: Post, runtime: Runtime, changes: dict[str, str], words: str
) -> None:
    answer = post("/become-an-expert", "/become-an-expert?category=it", **{**FORM, **changes})
    assert answer.status_code == 400
    assert words in answer.text
    assert applications(runtime) == 0


@ONE_DATABASE
def test_what_was_typed_is_still_there_after_a_mistake_and_nothing_of_it_is_markup(post: Post) -> None:
    text = '<script>alert("hi")</script> and some more words'
    answer = post("/become-an-expert", "/become-an-expert?category=it", **{**FORM, "experience": text, "email": "x"})
    assert "&lt;script&gt;" in answer.text
    assert "<script>alert" not in answer.text
    assert 'value="Jonas Weber"' in answer.text


@ONE_DATABASE
def test_a_program_that_fills_in_the_hidden_field_is_told_nothing_and_kept_nowhere(
    post: Post, runtime: Runtime
) -> None:
    answer = post("/become-an-expert", "/become-an-expert?category=it", **{**FORM, "homepage": "https://spam.example"})
    assert answer.status_code == 303
    assert applications(runtime) == 0


@ONE_DATABASE
def test_the_form_is_rate_limited(runtime: Runtime) -> None:
    strict = Runtime(runtime.config.replace(login_rate="3 per minute"), runtime.database, runtime.registry)
    client = browser(strict)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/become-an-expert?category=it").text)
    assert token
    form = {**FORM, "csrf_token": token[1], "email": "not an address"}
    answers = [client.post("/become-an-expert", data=form).status_code for _ in range(5)]
    assert answers == [400, 400, 400, 429, 429]


@ONE_DATABASE
@pytest.mark.parametrize("state", ["prelaunch", "invitation_only"])
def test_the_way_in_is_open_while_the_site_is_closed(client: FlaskClient, runtime: Runtime, state: str) -> None:
    with runtime.database.write() as db:
        site_settings.put(db, "state", state, SYSTEM)
        application = service.apply(
            db,
            **{**{k: v for k, v in FORM.items() if k != "homepage"}, "is_adult": True, "locale": "en", "zone": "UTC"},
        )
    for path in (
        "/become-an-expert",
        "/become-an-expert?category=it",
        "/join",
        f"/applications/{application.public_id}",
    ):
        assert client.get(path).status_code == 200, path


@ONE_DATABASE
def test_a_declined_applicant_reads_why_and_appeals_once(client: FlaskClient, post: Post, runtime: Runtime) -> None:
    own_page = post("/become-an-expert", "/become-an-expert?category=it", **FORM).headers["Location"]
    with runtime.database.write() as db:
        service.decline(db, db.scalars(select(Application)).one(), "Too few examples of your work.", SYSTEM)
    page = client.get(own_page).text
    assert "Too few examples of your work." in page
    assert post(f"{own_page}/appeal", own_page, body="").status_code == 400
    assert post(f"{own_page}/appeal", own_page, body="Here are three more.").status_code == 303
    page = client.get(own_page).text
    assert "You asked a second person to look" in page
    assert "Here are three more." in page
    assert post(f"{own_page}/appeal", own_page, body="And one more.").status_code == 400


@ONE_DATABASE
def test_the_applicant_answers_a_message(client: FlaskClient, post: Post, runtime: Runtime) -> None:
    own_page = post("/become-an-expert", "/become-an-expert?category=it", **FORM).headers["Location"]
    with runtime.database.write() as db:
        curator = create_user(db, "curator@example.org", PASSWORD, "Carla Curator", ("curator",), confirmed=True)
        actor = Actor("operator", curator.id, curator.email)
        service.contact(db, db.scalars(select(Application)).one(), "Which routers do you know best?", actor)
    page = client.get(own_page).text
    assert "You hear from us by" in page
    assert "Which routers do you know best?" in page
    assert "Carla Curator" not in page, "operators answer in the name of the site"
    assert post(f"{own_page}/reply", own_page, body="Those that blink.").status_code == 303
    assert "Those that blink." in client.get(own_page).text


@ONE_DATABASE
def test_an_unknown_application_is_not_found(client: FlaskClient) -> None:
    assert client.get("/applications/no-such-thing").status_code == 404


@ONE_DATABASE
def test_who_is_not_signed_in_is_told_how_to_go_on(client: FlaskClient, runtime: Runtime) -> None:
    code = issue(runtime)
    page = client.get(f"/join?code={code}").text
    assert f"/register?invitation={code}" in page
    assert "/login?next=" in page
    assert "Your code is good" not in page, "codes are not checked for people who are not signed in"


@ONE_DATABASE
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Enter the code"),
        ("hello", "looks like HELP-"),
        ("HELP-0000-0000-0000-0000", "do not know this code"),
    ],
)
def test_a_wrong_code_is_refused_on_the_form(post: Post, runtime: Runtime, typed: str, words: str) -> None:
    sign_up(runtime, post)
    answer = post("/join", code=typed)
    assert answer.status_code == 400
    assert words in answer.text


@ONE_DATABASE
def test_a_code_can_be_typed_in_small_letters_without_dashes(post: Post, runtime: Runtime) -> None:
    sign_up(runtime, post)
    answer = post("/join", code=issue(runtime).lower().replace("-", " "))
    assert answer.status_code == 200
    assert "Your code is good" in answer.text


@ONE_DATABASE
def test_a_code_for_another_field_or_person_is_refused(post: Post, runtime: Runtime) -> None:
    sign_up(runtime, post)
    code = issue(runtime)
    answer = post("/join", code=code, category="fashion")
    assert (answer.status_code, "not for “Fashion”" in answer.text) == (400, True)
    bound = issue(runtime, email="somebody.else@example.org")
    answer = post("/join", code=bound, **PROFILE)
    assert (answer.status_code, "another mail address" in answer.text) == (400, True)


@ONE_DATABASE
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"headline": ""}, "Say in one line what you help with."),
        ({"languages": []}, "Choose at least one language."),
        ({"languages": ["klingon"]}, "is not a valid choice"),
        ({"zone": "Mars/Olympus"}, "Not a valid choice"),
        ({"is_adult": ""}, "at least 18 years"),
        ({"name": "\u202e"}, "letters that can be seen"),
    ],
)
def test_a_bad_profile_is_refused_and_the_code_stays_good(
    post: Post, runtime: Runtime, changes: dict[str, Any], words: str
) -> None:
    sign_up(runtime, post)
    code = issue(runtime)
    answer = post("/join", code=code, **{**PROFILE, **changes})
    assert answer.status_code == 400
    assert words in answer.text
    with runtime.database.read() as db:
        service.check_code(db, code)


@ONE_DATABASE
def test_an_expert_opens_a_second_field_with_one_click(post: Post, runtime: Runtime) -> None:
    sign_up(runtime, post)
    post("/join", code=issue(runtime), **PROFILE)
    code = issue(runtime, "fashion")
    page = post("/join", code=code).text
    assert "One more field" in page
    assert post("/join", code=code, step="add").status_code == 303
    with runtime.database.read() as db:
        assert {held.category for held in db.scalars(select(Expert)).one().categories} == {"it", "fashion"}


@ONE_DATABASE
def test_the_pages_speak_german(client: FlaskClient) -> None:
    page = client.get("/become-an-expert", headers={"Accept-Language": "de"}).text
    assert "Computer und Technik" in page
