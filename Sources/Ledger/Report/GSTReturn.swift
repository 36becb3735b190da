// Figures for GSTR-1, from what the bills charged. The book reads them, it does not file.

/// One month's outward supplies as form GSTR-1 asks for them (table numbers are the form's).
public struct GSTReturn: Hashable, Sendable {
    /// Taxable amount and taxes at one rate.
    public struct Amounts: Hashable, Sendable {
        public var taxable = Paise.zero
        public var tax = LineTax()

        mutating func add(_ line: PricedBill.Line, sign: Int64) throws(BookError) {
            taxable = try taxable.adding(sign < 0 ? -line.taxable : line.taxable)
            tax = tax + (sign < 0 ? -line.tax : line.tax)
        }
    }

    /// A bill or credit note told one by one (tables 4, 5 and 9B).
    public struct Document: Hashable, Sendable {
        public var number: String
        public var day: CivilDay
        public var buyerGSTIN: String?
        /// Of a credit note: the bill it belongs to.
        public var invoice: String?
        public var value: Paise
        public var isInterState: Bool
        public var byRate: [BasisPoints: Amounts]
    }

    /// Table 7: other supplies to unregistered buyers, less their credit notes.
    public struct ConsumerKey: Hashable, Comparable, Sendable {
        public var isInterState: Bool
        public var rate: BasisPoints

        public static func < (left: Self, right: Self) -> Bool {
            (left.isInterState ? 1 : 0, left.rate) < (right.isInterState ? 1 : 0, right.rate)
        }
    }

    /// Table 12, told apart by buyer as since May 2025.
    public struct HSNKey: Hashable, Comparable, Sendable {
        public var isRegistered: Bool
        public var hsn: String
        public var unit: String
        public var rate: BasisPoints

        public static func < (left: Self, right: Self) -> Bool {
            (left.isRegistered ? 0 : 1, left.hsn, left.unit, left.rate.rawValue)
                < (right.isRegistered ? 0 : 1, right.hsn, right.unit, right.rate.rawValue)
        }
    }

    public struct HSNFigures: Hashable, Sendable {
        public var quantity = MilliQuantity.zero
        public var amounts = Amounts()
    }

    /// Table 13.
    public struct Series: Hashable, Sendable {
        public var kind: InvoiceNumber.Kind
        public var first: String
        public var last: String
        public var issued: Int
        public var cancelled: Int
    }

    public var year: Int64
    public var month: Int64
    /// Table 4: to registered buyers.
    public var registered: [Document] = []
    /// Table 5: to unregistered buyers of another state, above `largeConsumerBill`.
    public var largeConsumer: [Document] = []
    public var consumer: [ConsumerKey: Amounts] = [:]
    /// Table 9B: credit notes for documents of tables 4 and 5.
    public var creditNotes: [Document] = []
    /// Table 8: lines at no tax within bills with GST, and bills without GST, less what came back.
    public var exempt = Paise.zero
    public var withoutGST = Paise.zero
    public var hsn: [HSNKey: HSNFigures] = [:]
    public var documents: [Series] = []

    /// Above it a bill to an unregistered buyer of another state is told by itself: one lakh since 1 August 2024
    /// (notification 12/2024 - Central Tax).
    public static let largeConsumerBill = Paise(10_000_000)
}

extension LedgerStore {
    /// Reads every bill and credit note of the book's financial year and gathers one month.
    ///
    /// A bill counts in the month it was made and not at all once it is cancelled. Its own discount (on the whole bill,
    /// after tax) does not lower the taxable amounts: that is how it was charged.
    ///
    /// - Parameter progress: documents read so far and in all; called every 1,000.
    public func gstReturn(year: Int64, month: Int64, progress: (Int64, Int64) -> Void = { _, _ in })
        throws(BookError) -> GSTReturn
    {
        guard (1...12).contains(month) else { throw .refused(.amountOutOfRange) }
        var made = GSTReturn(year: year, month: month)
        let financialYear = month >= 4 ? year : year - 1
        var documents: [(number: InvoiceNumber, place: Place, isReversed: Bool)] = []
        let notes = try connection.integer("PRAGMA user_version") ?? 0 >= 2
        for table in notes ? ["invoice", "credit_note"] : ["invoice"] {
            try connection.run(
                """
                SELECT t.number, t.place, m.reversed_by FROM \(table) t JOIN movement m ON m.place = t.place
                ORDER BY t.number
                """
            ) {
                guard let number = InvoiceNumber($0.text(0)), number.year == financialYear else { return }
                documents.append((number, Place(rawValue: $0.integer(1)), !$0.isNull(2)))
            }
        }
        for (index, document) in documents.enumerated() {
            if index % 1000 == 0 { progress(Int64(index), Int64(documents.count)) }
            let entry = try entry(at: document.place)
            let date = entry.day.yearMonthDay
            guard date.year == year, date.month == month else { continue }
            made.count(document.number, isCancelled: document.isReversed)
            if document.isReversed { continue }
            switch document.number.kind {
            case .invoice:
                guard let bill = Bill(entry.arguments[0]) else { throw .damaged("a bill cannot be read") }
                try gather(&made, entry, document.number, bill, quantities: bill.lines.map(\.quantity), note: nil)
            case .creditNote:
                guard let note = CreditNote(entry.arguments),
                    let place = try connection.integer(
                        "SELECT place FROM invoice WHERE number = ?", [.text(note.invoice)]),
                    let bill = Bill(try self.entry(at: Place(rawValue: place)).arguments[0])
                else { throw .damaged("a credit note cannot be read") }
                var quantities = [MilliQuantity](repeating: .zero, count: bill.lines.count)
                for one in note.returns { quantities[one.line] += one.quantity }
                try gather(&made, entry, document.number, bill, quantities: quantities, note: note)
            }
        }
        progress(Int64(documents.count), Int64(documents.count))
        made.registered.sort { $0.number < $1.number }
        return made
    }

    private func gather(
        _ made: inout GSTReturn, _ entry: JournalEntry, _ number: InvoiceNumber, _ bill: Bill,
        quantities: [MilliQuantity], note: CreditNote?
    ) throws(BookError) {
        guard let figures = entry.pricing, figures.lines.count == bill.lines.count else {
            throw .damaged("a bill cannot be read")
        }
        let sign: Int64 = note == nil ? 1 : -1
        guard bill.withGST else {
            made.withoutGST = try made.withoutGST.adding(sign < 0 ? -figures.total : figures.total)
            return
        }
        var byRate: [BasisPoints: GSTReturn.Amounts] = [:]
        for (index, line) in figures.lines.enumerated() where quantities[index] != .zero {
            let product = memory.goods[bill.lines[index].product]
            // A bill of schema version 1 does not say its rate: the product's of that day is the best there is.
            let old = product?.asOf(entry.day)
            let rate = line.rate ?? (old?.isExempt == true ? .zero : old?.gstRate ?? .zero)
            if rate == .zero && line.tax.sum == .zero {
                made.exempt = try made.exempt.adding(sign < 0 ? -line.taxable : line.taxable)
            } else {
                try byRate[rate, default: .init()].add(line, sign: 1)
            }
            let key = GSTReturn.HSNKey(
                isRegistered: bill.buyerGSTIN != nil, hsn: line.hsn ?? (line.rate == nil ? old?.hsn : nil) ?? "",
                unit: product?.unit ?? "", rate: rate)
            let quantity = quantities[index]
            made.hsn[key, default: .init()].quantity += sign < 0 ? -quantity : quantity
            try made.hsn[key, default: .init()].amounts.add(line, sign: sign)
        }
        let document = GSTReturn.Document(
            number: number.description, day: entry.day, buyerGSTIN: bill.buyerGSTIN, invoice: note?.invoice,
            value: figures.total, isInterState: bill.isInterState, byRate: byRate)
        let isLarge = try isLargeConsumer(bill, note, figures)
        switch (bill.buyerGSTIN != nil, isLarge, note) {
        case (true, _, nil): made.registered.append(document)
        case (false, true, nil): made.largeConsumer.append(document)
        case (true, _, _), (false, true, _): made.creditNotes.append(document)
        case (false, false, _):
            for (rate, amounts) in byRate {
                let key = GSTReturn.ConsumerKey(isInterState: bill.isInterState, rate: rate)
                try made.consumer[key, default: .init()].add(
                    PricedBill.Line(taxable: amounts.taxable, tax: amounts.tax), sign: sign)
            }
        }
    }

    private func isLargeConsumer(_ bill: Bill, _ note: CreditNote?, _ figures: PricedBill) throws(BookError) -> Bool {
        guard bill.isInterState, bill.buyerGSTIN == nil else { return false }
        guard let note else { return figures.total > GSTReturn.largeConsumerBill }
        let total = try connection.integer("SELECT total FROM invoice WHERE number = ?", [.text(note.invoice)]) ?? 0
        return Paise(total) > GSTReturn.largeConsumerBill
    }
}

extension GSTReturn {
    fileprivate mutating func count(_ number: InvoiceNumber, isCancelled: Bool) {
        let text = number.description
        if let at = documents.firstIndex(where: {
            $0.kind == number.kind && $0.first.prefix(3) == number.series
        }) {
            documents[at].last = text
            documents[at].issued += 1
            documents[at].cancelled += isCancelled ? 1 : 0
        } else {
            documents.append(
                Series(kind: number.kind, first: text, last: text, issued: 1, cancelled: isCancelled ? 1 : 0))
        }
    }
}
