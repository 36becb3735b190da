#!/usr/bin/env python3
"""The book's arithmetic done a second time, by a program that shares no code with it: dictionaries and the standard
library. Reads a book's file, decodes the journal, works out balances, stock, numbers, requests and the chain from the
commands alone, and holds the tables of the file to them.

    model.py BOOK [EVENTS]      EVENTS: the lines of `execoractl ledger export --events`, which must be the same journal

Ends with 0 and a line of counts, or with 1 and what differs (places and numbers, never names)."""

import hashlib
import json
import sqlite3
import sys

CREATE_CUSTOMER, MERGE, UNMERGE = 10, 14, 15
CREATE_PRODUCT, UPDATE_PRODUCT, MOVE_STOCK = 20, 21, 22
CREDIT, PAYMENT = 30, 31
BILL, CANCEL, REVERSE, CREDIT_NOTE = 42, 43, 44, 45
RECEIVABLE = 1100


class Wrong(Exception):
    pass


def decode(data, at=0):
    """One CBOR item (RFC 8949): the kinds the journal may hold. Returns the value and where it ends."""
    kind, low = data[at] >> 5, data[at] & 31
    at += 1
    if low < 24:
        number = low
    elif low in (24, 25, 26, 27):
        size = 1 << (low - 24)
        number = int.from_bytes(data[at:at + size], "big")
        at += size
        if number < (24 if size == 1 else 1 << (4 * size)):
            raise Wrong("a number is not written in its shortest form")
    else:
        raise Wrong("a length that is not told")
    if kind == 0:
        return number, at
    if kind == 1:
        return -1 - number, at
    if kind in (2, 3):
        if at + number > len(data):
            raise Wrong("a text ends early")
        raw = data[at:at + number]
        return (raw if kind == 2 else raw.decode("utf-8")), at + number
    if kind == 4:
        items = []
        for _ in range(number):
            item, at = decode(data, at)
            items.append(item)
        return items, at
    if kind == 5:
        pairs, last = {}, None
        for _ in range(number):
            start = at
            key, at = decode(data, at)
            name = (len(data[start:at]), data[start:at])
            if last is not None and name <= last:
                raise Wrong("keys out of order")
            last = name
            pairs[key], at = decode(data, at)
        return pairs, at
    if kind == 7 and low in (20, 21, 22):
        return {20: False, 21: True, 22: None}[low], at
    raise Wrong(f"kind {kind} is not of the journal")


def divide(value, by):
    """Rounded half away from zero."""
    sign = -1 if value < 0 else 1
    return sign * ((2 * abs(value) + by) // (2 * by))


def pairs(flat):
    return list(zip(flat[::2], flat[1::2]))


class Shop:
    def __init__(self, device, series):
        self.device, self.series = device, series
        self.accounts, self.posted = {}, {}
        self.owed, self.stock, self.products, self.merged = {}, {}, {}, {}
        self.effects, self.reversed = {}, set()
        self.requests, self.invoices, self.numbers = {}, {}, {}
        self.heads = {}

    def root(self, customer):
        while customer in self.merged:
            customer = self.merged[customer]
        return customer

    def take(self, place, body, stored_hash):
        """One event, in order."""
        epoch, seq = (place >> 40) + 1, place & ((1 << 40) - 1)
        last, prev = self.heads.get(epoch, (0, bytes(32)))
        if seq != last + 1:
            raise Wrong(f"I3: entry {seq} follows {last}")
        link = b"evt1" + self.device + epoch.to_bytes(8, "big") + seq.to_bytes(8, "big") + prev
        if hashlib.sha256(link + hashlib.sha256(body).digest()).digest() != stored_hash:
            raise Wrong(f"I3: the hash of entry {seq} is not that of its bytes")
        self.heads[epoch] = (seq, stored_hash)
        event, end = decode(body)
        if end != len(body):
            raise Wrong(f"I3: bytes behind entry {seq}")
        identity = event[0]
        if identity in self.requests:
            raise Wrong(f"I7: entry {seq} has the id of {self.requests[identity]}")
        self.requests[identity] = place
        postings, moves = pairs(event.get(10, [])), pairs(event.get(11, []))
        if sum(amount for _, amount in postings) != 0:
            raise Wrong(f"I2: entry {seq} does not sum to zero")
        for leg, (account, amount) in enumerate(postings):
            self.accounts[account] = self.accounts.get(account, 0) + amount
            self.posted[(account, place, leg)] = amount
        self.apply(event, identity, place, postings, moves)

    def apply(self, event, identity, place, postings, moves):
        kind, arguments = event[2], event[3]
        owed, stock = {}, {}
        if kind == CREATE_CUSTOMER:
            owed[event[12][1]] = arguments[1]
        elif kind == CREATE_PRODUCT:
            product = event[12][1]
            self.products[product] = arguments[0]
            stock[product] = arguments[1]
        elif kind == UPDATE_PRODUCT:
            self.products[arguments[0]] = arguments[1]
        elif kind == MERGE:
            self.merged[arguments[0]] = arguments[1]
        elif kind == UNMERGE:
            self.merged.pop(arguments[0], None)
        elif kind == MOVE_STOCK:
            stock[arguments[0]] = arguments[1]
        elif kind == CREDIT:
            owed[self.root(arguments[0])] = arguments[1]
        elif kind == PAYMENT:
            owed[self.root(arguments[0])] = -sum(split[0] for split in arguments[1])
        elif kind == BILL:
            self.bill(event, place, arguments[0], owed, stock)
        elif kind in (CANCEL, REVERSE):
            taken = event[14]
            if taken not in self.effects or taken in self.reversed:
                raise Wrong(f"I7: entry {place} takes back what is not there, or was taken back")
            self.reversed.add(taken)
            back_owed, back_stock = self.effects[taken]
            owed = {key: -value for key, value in back_owed.items()}
            stock = {key: -value for key, value in back_stock.items()}
        elif kind == CREDIT_NOTE:
            # Its price is part of a bill's, as charged: here taken as posted, its goods as returned.
            owed = {account // 10_000: amount for account, amount in postings if account % 10_000 == RECEIVABLE}
            stock = dict(moves)
        for customer, amount in owed.items():
            self.owed[customer] = self.owed.get(customer, 0) + amount
        for product, quantity in stock.items():
            self.stock[product] = self.stock.get(product, 0) + quantity
        self.effects[identity] = (owed, stock)
        told = {}
        for account, amount in postings:
            if account % 10_000 == RECEIVABLE:
                told[account // 10_000] = told.get(account // 10_000, 0) + amount
        if {k: v for k, v in told.items() if v} != {k: v for k, v in owed.items() if v}:
            raise Wrong(f"I7: entry {place} posts {told} where the command says {owed}")
        if {k: v for k, v in total(moves).items() if v} != {k: v for k, v in stock.items() if v}:
            raise Wrong(f"I7: entry {place} moves other goods than the command says")

    def bill(self, event, place, bill, owed, stock):
        customer, lines, discount, gst, inter_state = bill[0], bill[1], bill[2], bill[3], bill[4]
        amount = 0
        for product, quantity, price, cut in lines:
            taxable = divide(quantity * price, 1000)
            if cut:
                taxable -= divide(taxable * cut[1], 10_000) if cut[0] == 0 else min(cut[1], taxable)
            amount += taxable
            details = self.products[product]
            if gst and not details[7]:
                rate, cess = details[5], details[6]
                # Rates that begin on a day: the newest that has come.
                dated = details[10] if len(details) > 10 else []
                begun = [dated[i:i + 3] for i in range(0, len(dated), 3) if dated[i] <= event[9]]
                if begun:
                    _, rate, cess = max(begun)
                tax = divide(taxable * rate, 10_000)
                amount += tax if inter_state else 2 * divide(tax, 2)
                amount += divide(taxable * cess, 10_000)
            stock[product] = stock.get(product, 0) - quantity
        if discount:
            amount -= divide(amount * discount[1], 10_000) if discount[0] == 0 else min(discount[1], amount)
        if len(bill) > 8:
            amount = (amount + 50) // 100 * 100
        _, number, said, _ = event[12]
        if said != amount:
            raise Wrong(f"I7: bill {number} says {said}, its lines say {amount}")
        if customer is not None:
            owed[self.root(customer)] = amount - sum(split[0] for split in bill[7])
        self.invoices[number] = (place, amount)
        code, year = number[:3], number[4:6]
        following = self.numbers.get((code, year), 0) + 1
        if number != f"{self.series}/{year}-{following:07d}" or len(number) > 16:
            raise Wrong(f"I5: {number} where number {following} follows")
        # The financial year begins in April; the shop's day is stored.
        if int(year) != financial_year(event[9]) % 100:
            raise Wrong(f"I5: {number} on a day of another year")
        self.numbers[(code, year)] = following


def total(moves):
    sums = {}
    for product, quantity in moves:
        sums[product] = sums.get(product, 0) + quantity
    return sums


def financial_year(day):
    import datetime
    date = datetime.date(1970, 1, 1) + datetime.timedelta(days=day)
    return date.year if date.month >= 4 else date.year - 1


def compare(what, held, expected):
    if held != expected:
        keys = [key for key in {**held, **expected} if held.get(key) != expected.get(key)]
        raise Wrong(f"{what}: {len(keys)} differ, first {keys[0]!r}: the book {held.get(keys[0])!r}, the model {expected.get(keys[0])!r}")


def main():
    book = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
    meta = dict(book.execute("SELECT key, value FROM meta"))
    shop = Shop(meta["device_id"], meta["series"])
    journal = book.execute("SELECT place, body, hash FROM event ORDER BY place").fetchall()
    for place, body, stored in journal:
        shop.take(place, body, stored)
    if len(sys.argv) > 2:
        with open(sys.argv[2], encoding="utf-8") as lines:
            exported = [json.loads(line) for line in lines if line.strip()]
        told = [(((e["epoch"] - 1) << 40) | e["seq"], bytes.fromhex(e["body"]), bytes.fromhex(e["hash"])) for e in exported]
        if told != journal:
            raise Wrong("I4: the export is another journal than the file's")
    compare("I4: balances", dict(book.execute("SELECT account, amount FROM balance")), shop.accounts)
    owed = {account // 10_000: amount for account, amount in shop.accounts.items() if account % 10_000 == RECEIVABLE}
    compare("I7: what customers owe", {k: v for k, v in owed.items() if v}, {k: v for k, v in shop.owed.items() if v})
    compare("I7: stock", dict(book.execute("SELECT id, stock FROM product")),
            {product: shop.stock.get(product, 0) for product in shop.products})
    compare("I4: postings", {row[:3]: row[3] for row in book.execute("SELECT account, place, leg, amount FROM posting")}, shop.posted)
    compare("I5: invoices", {row[0]: row[1:] for row in book.execute("SELECT number, place, total FROM invoice")}, shop.invoices)
    compare("I7: requests", dict(book.execute("SELECT id, place FROM request")), shop.requests)
    compare("I5: series", {(code, f"{year % 100:02d}"): following - 1 for code, year, following in
                           book.execute("SELECT code, year, next FROM series") if len(code) == 3}, shop.numbers)
    receipt = book.execute("SELECT epoch, seq, hash FROM cursor").fetchone()
    if receipt and receipt[1]:
        held = book.execute("SELECT hash FROM event WHERE place = ?", (((receipt[0] - 1) << 40) | receipt[1],)).fetchone()
        if not held or held[0] != receipt[2]:
            raise Wrong("I6: the receipt names another event")
    print(f"model: {len(journal)} entries, {len(shop.owed)} customers, {len(shop.products)} products, "
          f"{len(shop.invoices)} bills, {len(shop.reversed)} taken back: the same")


if __name__ == "__main__":
    try:
        main()
    except (Wrong, KeyError, sqlite3.Error) as wrong:
        print(f"model: {wrong}", file=sys.stderr)
        sys.exit(1)
