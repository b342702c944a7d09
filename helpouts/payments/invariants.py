"""What must always be true of the money, each as one SQL statement that counts what is not.

The statements run unchanged on SQLite and PostgreSQL.  A balance below is on the account's normal side; ``escrow``
rows are joined by code, which is unique per currency.
"""

# ruff: noqa: S608  # the statements are put together from constants of this module only
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule: ``sql`` returns one number, that of the offending rows; parameters: ``:stale``, an instant."""

    key: str
    says: str
    sql: str


_HALF_EVEN = """({n}) / ({d}) + CASE
  WHEN 2 * (({n}) % ({d})) > ({d}) OR (2 * (({n}) % ({d})) = ({d}) AND (({n}) / ({d})) % 2 = 1) THEN 1 ELSE 0 END"""
_ESCROW = """SELECT p.id, p.state, p.amount_minor, p.holds_money, COALESCE(a.credits - a.debits, 0) AS balance
  FROM payment p LEFT JOIN ledger_account a
    ON a.code = 'escrow:' || CAST(p.booking_id AS TEXT) AND a.currency = p.currency"""


def _half_even(n: str, d: str) -> str:
    return _HALF_EVEN.format(n=n, d=d)


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "I1",
        "debits and credits are equal in every currency",
        """SELECT COUNT(*) FROM (
             SELECT currency FROM ledger_account GROUP BY currency HAVING SUM(debits) <> SUM(credits)) AS broken""",
    ),
    Invariant(
        "I2",
        "the counters of every account are the sums of its postings",
        """SELECT COUNT(*) FROM ledger_account a
             LEFT JOIN (SELECT debit_id AS id, SUM(amount) AS total FROM posting GROUP BY debit_id) d ON d.id = a.id
             LEFT JOIN (SELECT credit_id AS id, SUM(amount) AS total FROM posting GROUP BY credit_id) c ON c.id = a.id
           WHERE a.debits <> COALESCE(d.total, 0) OR a.credits <> COALESCE(c.total, 0)""",
    ),
    Invariant(
        "I3",
        "no account that may not be overdrawn is",
        """SELECT COUNT(*) FROM ledger_account
           WHERE nonneg AND CASE WHEN normal = 'C' THEN credits < debits ELSE debits < credits END""",
    ),
    Invariant(
        "I4",
        "a held payment has its whole amount in escrow",
        f"SELECT COUNT(*) FROM ({_ESCROW}) AS e WHERE state = 'held' AND holds_money AND balance <> amount_minor",
    ),
    Invariant(
        "I5",
        "a closed payment, or one that holds no money here, has nothing in escrow",
        f"""SELECT COUNT(*) FROM ({_ESCROW}) AS e WHERE balance <> 0
           AND (NOT holds_money OR state IN ('captured', 'voided', 'part_refunded', 'refunded'))""",
    ),
    Invariant(
        "I6",
        "fee revenue is the fees of all payments less the fees given back",
        """SELECT COUNT(*) FROM (
             SELECT currency, SUM(x) AS total FROM (
               SELECT currency, fee_minor - fee_refunded_minor AS x FROM payment
               UNION ALL
               SELECT currency, debits - credits FROM ledger_account WHERE code = 'revenue:fee') AS legs
             GROUP BY currency) AS t WHERE total <> 0""",
    ),
    Invariant(
        "I7",
        "what is refunded on a payment is what its refund journals paid",
        """SELECT COUNT(*) FROM payment p LEFT JOIN (
             SELECT j.ref, SUM(o.amount) AS total FROM journal j JOIN posting o ON o.journal_id = j.id
             WHERE j.kind = 'refund' GROUP BY j.ref) r ON r.ref = 'payment:' || p.public_id
           WHERE p.refunded_minor <> COALESCE(r.total, 0)""",
    ),
    Invariant(
        "I8",
        "what we have and have spent is what we owe and have earned",
        """SELECT COUNT(*) FROM (
             SELECT currency FROM ledger_account GROUP BY currency
             HAVING SUM(CASE WHEN normal = 'D' THEN debits - credits ELSE 0 END)
                 <> SUM(CASE WHEN normal = 'C' THEN credits - debits ELSE 0 END)) AS broken""",
    ),
    Invariant(
        "I9",
        "every journal has exactly the postings that it was written with",
        """SELECT COUNT(*) FROM journal j LEFT JOIN (
             SELECT journal_id, COUNT(*) AS n, MAX(seq) AS last FROM posting GROUP BY journal_id) o
             ON o.journal_id = j.id
           WHERE j.lines <> COALESCE(o.n, 0) OR j.lines <> COALESCE(o.last, -1) + 1""",
    ),
    Invariant(
        "I10",
        "a payment is settled or released at most once",
        """SELECT COUNT(*) FROM (SELECT ref FROM journal WHERE kind IN ('settle', 'release')
             GROUP BY ref HAVING COUNT(*) > 1) AS twice""",
    ),
    Invariant(
        "I11",
        "the fee is the rule applied to what was captured",
        f"SELECT COUNT(*) FROM payment WHERE fee_minor <> {_half_even('captured_minor * fee_bp', '10000')}",
    ),
    Invariant(
        "I12",
        "a fee goes back in proportion to the refund, all of it with a full refund",
        f"""SELECT COUNT(*) FROM payment WHERE captured_minor > 0
             AND fee_refunded_minor <> {_half_even("fee_minor * refunded_minor", "captured_minor")}""",
    ),
    Invariant(
        "I13",
        "every operation that succeeded has its journal, and every journal of a payment its operation",
        """SELECT (SELECT COUNT(*) FROM payment_operation o JOIN payment p ON p.id = o.payment_id
                     LEFT JOIN journal j ON j.idem_key = o.key
                   WHERE o.state = 'succeeded' AND j.id IS NULL
                     AND (p.holds_money OR o.op IN ('capture', 'refund')))
                + (SELECT COUNT(*) FROM journal j LEFT JOIN payment_operation o ON o.key = j.idem_key
                   WHERE j.kind IN ('hold', 'settle', 'release', 'refund') AND (o.id IS NULL OR o.state <> 'succeeded'))
                """,
    ),
    Invariant(
        "I14",
        "pending earnings are the unpayable parts of all payments of the expert",
        """SELECT COUNT(*) FROM (
             SELECT code, currency, SUM(x) AS total FROM (
               SELECT 'earn_pending:' || CAST(payee_id AS TEXT) AS code, currency,
                      captured_minor - fee_minor - refunded_minor + fee_refunded_minor AS x
               FROM payment WHERE matured_at IS NULL
               UNION ALL
               SELECT code, currency, debits - credits FROM ledger_account WHERE kind = 'earn_pending') AS legs
             GROUP BY code, currency) AS t WHERE total <> 0""",
    ),
    Invariant(
        "I15",
        "no unexplained money is older than a day",
        """SELECT COUNT(*) FROM ledger_account a WHERE a.kind = 'suspense' AND a.debits <> a.credits
             AND NOT EXISTS (SELECT 1 FROM posting o JOIN journal j ON j.id = o.journal_id
               WHERE (o.debit_id = a.id OR o.credit_id = a.id) AND j.created_at > :stale)""",
    ),
    Invariant(
        "I16",
        "every posting is in the currency of both of its accounts",
        """SELECT COUNT(*) FROM posting o JOIN ledger_account d ON d.id = o.debit_id
             JOIN ledger_account c ON c.id = o.credit_id WHERE o.currency <> d.currency OR o.currency <> c.currency""",
    ),
    Invariant(
        "I17",
        "a payout holds its money exactly while it is under way",
        """SELECT COUNT(*) FROM payout p LEFT JOIN ledger_account a
             ON a.code = 'payout:' || CAST(p.id AS TEXT) AND a.currency = p.currency
           WHERE COALESCE(a.credits - a.debits, 0) <> CASE WHEN p.state = 'requested' THEN p.amount_minor ELSE 0 END""",
    ),
    Invariant(
        "P1",
        "every package account belongs to a package and holds at most what was paid for it",
        """SELECT COUNT(*) FROM ledger_account a LEFT JOIN package p
             ON a.code = 'package:' || CAST(p.id AS TEXT) AND a.currency = p.currency
           WHERE a.kind = 'package' AND (p.id IS NULL OR a.credits - a.debits > p.sessions * p.price_minor)""",
    ),
    Invariant(
        "P2",
        "a package was paid for once, with the price of its sessions",
        """SELECT COUNT(*) FROM package p LEFT JOIN (
             SELECT j.ref, SUM(o.amount) AS total FROM journal j JOIN posting o ON o.journal_id = j.id
             WHERE j.kind = 'package_buy' GROUP BY j.ref) b ON b.ref = 'package:' || p.public_id
           WHERE p.sessions * p.price_minor <> COALESCE(b.total, 0)""",
    ),
    Invariant(
        "P3",
        "what is paid from a package is a session of its customer at its price",
        """SELECT COUNT(*) FROM payment m LEFT JOIN package p ON m.funding = 'package:' || CAST(p.id AS TEXT)
           WHERE SUBSTR(m.funding, 1, 8) = 'package:' AND (p.id IS NULL OR m.payer_id <> p.customer_id
             OR m.amount_minor <> p.price_minor OR m.currency <> p.currency)""",
    ),
)
