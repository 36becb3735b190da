import Glibc
import JSONText
import Testing

/// A running daemon asked by the technician's own tool: every command answers, with the exit code people rely on.
@Suite struct TechnicianTests {
    /// One daemon without a sound card, in a folder of its own.
    private final class Box {
        let folder: String
        let daemon: String
        let tool: String

        init() throws {
            var random = SystemRandomNumberGenerator()
            folder = "/tmp/execora-technician-" + String(random.next(), radix: 16)
            daemon = try Programs.path("execorad")
            tool = try Programs.path("execoractl")
            let begun = try Programs.shell(
                """
                set -e; mkdir -p \(folder)/state \(folder)/run; cd \(folder)
                '\(daemon)' service-token --key \(folder)/tech.key --holder meena --device '*' --hours 1 > token 2> told
                grep -E '^[0-9a-f]{64} ' told > keys
                cat > counter.toml <<T
                [device]
                state_dir = "\(folder)/state"
                runtime_dir = "\(folder)/run"
                [audio]
                backend = "null"
                [wake]
                models_dir = "${EXECORA_MODELS:-$HOME/.cache/execora/models}"
                [diagnostics]
                technician_keys = "\(folder)/keys"
                T
                EXECORA_METRICS=\(folder)/execora.prom '\(daemon)' run --config counter.toml > out 2> log < /dev/null &
                echo $! > pid
                for i in $(seq 600); do [ -S run/control.sock ] && break; sleep 0.1; done; [ -S run/control.sock ]
                """)
            try #require(begun.status == 0, "\(begun.output)")
        }

        deinit { _ = try? Programs.shell("kill $(cat \(folder)/pid) 2>/dev/null; sleep 0.3; rm -rf \(folder)") }

        func ask(_ words: String) throws -> Programs.Ended {
            try Programs.shell("'\(tool)' \(words) --socket \(folder)/run/control.sock")
        }
    }

    @Test func `every command answers people, and scripts with --json`() throws {
        let box = try Box()
        // A null microphone is dead silent: health and the self-test say so and end with 1.
        for (words, code, part) in [
            ("status", 0, "microphone"), ("methods", 0, "not here: no update system"),
            ("audio params", 0, "overruns"), ("audio tone done", 0, "played"), ("wake history", 0, "nothing woke it"),
            ("turn trace 5", 0, "no turn"), ("time", 0, "quality"), ("tls show", 0, "enrolled"),
            ("storage", 0, "free_bytes"), ("config", 0, "audio.backend"), ("queue flush", 0, "waiting"),
            ("log level debug", 0, "seconds"), ("metrics", 0, "execora_scored_samples_total"),
            ("update show", 1, "no update system"), ("button", 1, "no button line"),
            ("identity-reset", 3, "needs the role service"),
            ("audio record \(box.folder)/a.wav 2", 3, "needs the role service"),
            ("gpio", 1, "no button line"), ("config set wake.cutoff_milli 500", 0, "goes_back_after_s"),
            ("config confirm wake.cutoff_milli", 0, "until the daemon ends"),
            ("config confirm wake.cutoff_milli", 1, "nothing waits"),
            ("config set wake.cutoff_milli 5000", 2, "0 to 999"), ("config set device.state_dir /", 2, "in the file"),
            ("log level loud", 2, "level is"), ("wake history 900", 2, "count is"), ("net check", 0, "passed"),
        ] {
            let told = try box.ask(words)
            #expect(told.status == Int32(code) && told.output.contains(part), "\(words): \(told.status) \(told.output)")
            for line in told.output.split(separator: "\n") where words != "metrics" && !words.contains("--json") {
                #expect(line.count <= 80, "\(words): a line of \(line.count): \(line)")
            }
            // A serial console shows 24 lines; lists of everything are for `less`.
            if !["methods", "config", "metrics"].contains(words) {
                #expect(told.output.split(separator: "\n").count <= 24, "\(words): \(told.output)")
            }
        }
        for words in ["status", "health", "audio params", "time", "storage", "config", "net check"] {
            let told = try box.ask(words + " --json")
            #expect((try? JSONValue(parsing: Array(told.output.utf8.dropLast()))) != nil, "\(words): \(told.output)")
        }
        #expect(access(box.folder + "/a.wav", F_OK) != 0, "a refused recording leaves no file")
        let cutoff = try JSONValue(parsing: box.ask("status --json").output)["wake"]?["cutoff"]
        #expect(cutoff == 500)
        let daemonGone = try Programs.shell("'\(box.tool)' health --socket \(box.folder)/nothing.sock")
        #expect(daemonGone.status == 2)
    }

    /// Written out of the tool's own help; a shell that sources the completion finds a verb behind its word.
    @Test func `man page and completions know every command`() throws {
        let tool = try Programs.path("execoractl")
        let folder = "/tmp/execora-pages-\(getpid())"
        defer { _ = try? Programs.shell("rm -rf \(folder)") }
        let made = try Programs.shell("'\(Programs.root)/board/packages/man/pages' '\(tool)' \(folder)")
        #expect(made.status == 0, "\(made.output)")
        let page = try Programs.shell("cat \(folder)/execoractl.1").output
        let groups = try Programs.shell("'\(tool)' --help | sed -n 's/^  \\([a-z-]*\\): .*/\\1/p'").output
        let all = try Programs.shell("'\(tool)' help --all | cut -f1").output
        #expect(groups.split(separator: "\n").count > 25 && all.split(separator: "\n").count > 50)
        for word in groups.split(separator: "\n") + all.split(separator: "\n") {
            let name = String(word.flatMap { $0 == "-" ? "\\-" : String($0) })
            #expect(page.contains(".B \(name)\n"), "\(word)")
        }
        // The daemon's own page is written by hand: it may not fall behind its help.
        let daemon = try Programs.shell(
            "'\(try Programs.path("execorad"))' --help | sed -n 's/^  \\([a-z][a-z-]*\\) .*/\\1/p'"
        ).output
        let hand = try Programs.shell("cat '\(Programs.root)/board/packages/man/execorad.8'").output
        #expect(daemon.split(separator: "\n").count >= 12)
        for word in daemon.split(separator: "\n") {
            let name = String(word.flatMap { $0 == "-" ? "\\-" : String($0) })
            #expect(hand.contains(".B \(name)\n") || hand.contains(".BR \(name) "), "\(word)")
        }
        func completed(_ words: String...) throws -> Set<Substring> {
            let told = try Programs.shell(
                """
                bash -c 'source \(folder)/execoractl.bash; COMP_WORDS=(execoractl \(words.joined(separator: " "))); \
                COMP_CWORD=\(words.count); _execoractl; echo ${COMPREPLY[@]}'
                """)
            return Set(told.output.split(whereSeparator: \.isWhitespace))
        }
        #expect(try completed("he") == ["health"])
        #expect(try completed("tls", "ro") == ["rotate"])
        #expect(try completed("ledger", "ca") == ["calls"])
        #expect(try completed("status", "--js") == ["--json"])
    }

    @Test func `streams come line by line where there is no terminal`() throws {
        let box = try Box()
        for (words, part) in [
            ("audio meter", "mic ["), ("wake watch", "wake ["), ("vad", "voice ["), ("log tail 5", " "),
        ] {
            let told = try Programs.shell(
                "'\(box.tool)' \(words) --socket \(box.folder)/run/control.sock | head -n 1")
            #expect(told.output.contains(part) && !told.output.contains("\u{1B}"), "\(words): \(told.output)")
        }
    }

    /// The null microphone never moves and there is no gateway: one finding, in plain words, and a report's number.
    @Test func `the self-test prints a report and ends with 1 when something is wrong`() throws {
        let box = try Box()
        let told = try box.ask("selftest --quiet")
        #expect(told.status == 1, "\(told.output)")
        #expect(told.output.contains("dead silent") && told.output.contains("report "), "\(told.output)")
        #expect(told.output.contains("ok   models") && told.output.contains("ok   disk"), "\(told.output)")
        let alone = try Programs.shell(
            "sed 's#/state\"#/other\"#' \(box.folder)/counter.toml > \(box.folder)/alone.toml; mkdir -p \(box.folder)/other; '\(box.daemon)' selftest --config \(box.folder)/alone.toml"
        )
        #expect(alone.status == 1 && alone.output.contains("FAILED microphone"), "\(alone.output)")
    }

    /// A customer, an amount and words go in; none of them may come out.
    @Test func `a bundle is a readable tar with nothing private in it`() throws {
        let box = try Box()
        let said = try box.ask("say 'Zubeida Xylophonewala ka naya khata kholo'")
        #expect(said.status == 0, "\(said.output)")
        let told = try box.ask("bundle \(box.folder)/b.tar")
        #expect(told.status == 0, "\(told.output)")
        let list = try Programs.shell("cd \(box.folder) && tar -tf b.tar && tar -xf b.tar && cat execora-bundle/*")
        #expect(list.status == 0, "\(list.output)")
        for name in ["manifest.json", "status.json", "log.txt", "selftest.json", "turns.jsonl", "net.json"] {
            #expect(list.output.contains("execora-bundle/" + name))
        }
        #expect(!list.output.lowercased().contains("xylophone") && !list.output.lowercased().contains("zubeida"))
        // With a token the words are in it, and the manifest says so.
        let full = try box.ask("bundle \(box.folder)/full.tar --token $(cat \(box.folder)/token)")
        #expect(full.status == 0, "\(full.output)")
        let words = try Programs.shell("cd \(box.folder) && tar -xOf full.tar")
        #expect(words.output.lowercased().contains("zubeida") && words.output.contains("\"holds_words\":true"))
        #expect(list.output.contains("\"holds_words\":false") && !list.output.contains("\"holds_words\":true"))
        let sums = try Programs.shell(
            "cd \(box.folder)/execora-bundle && for f in status.json log.txt; do grep -q $(sha256sum < $f | cut -d' ' -f1) manifest.json || exit 1; done"
        )
        #expect(sums.status == 0)
    }

    @Test func `a token opens what service may, and the journal names who came`() throws {
        let box = try Box()
        // A box whose speaker nobody hears must not record in secret: allowed, and refused for that.
        let told = try box.ask("audio record \(box.folder)/heard.wav 1 --token $(cat \(box.folder)/token)")
        #expect(told.status == 1 && told.output.contains("cannot say that it records"), "\(told.output)")
        #expect(access(box.folder + "/heard.wav", F_OK) != 0)
        let forged = try box.ask("identity-reset --token v1.7b7d.00")
        #expect(forged.status == 3, "\(forged.output)")
        #expect(access(box.folder + "/state/identity/tls.key", F_OK) == 0)
        let reset = try box.ask("identity-reset --token $(cat \(box.folder)/token)")
        #expect(reset.status == 0 && access(box.folder + "/state/identity/tls.key", F_OK) != 0, "\(reset.output)")
        // The key that signed the book stays: without it nobody could prove the book.
        #expect(access(box.folder + "/state/identity/ledger.key", F_OK) == 0)
        let log = try Programs.shell("grep \"technician's call\" \(box.folder)/log")
        #expect(log.output.contains("method=audio.record") && log.output.contains("holder=meena"), "\(log.output)")
        // The same in the chain, without the name: by the token's mark.
        let book = "--book \(box.folder)/state/book.sqlite --identity \(box.folder)/state/identity --json"
        let asked = try Programs.shell(
            "for i in $(seq 200); do kill -0 $(cat \(box.folder)/pid) 2>/dev/null || break; sleep 0.1; done; '\(box.tool)' ledger calls \(book)"
        )
        let list = try JSONValue(parsing: asked.output)["calls"]?.array ?? []
        func calls(_ method: String, _ result: String) -> [JSONValue] {
            list.filter { $0["method"]?.string == method && $0["result"]?.string == result }
        }
        let mark = try #require(calls("identity.reset", "ok").first?["token"]?.string)
        #expect(mark.count == 16 && calls("audio.record", "failed").first?["token"]?.string == mark, "\(list)")
        #expect(calls("identity.reset", "ok").first?["uid"]?.integer == Int64(getuid()))
        #expect(calls("service.begin", "failed").first?["token"] == .null, "a forged token opens nothing")
        let verified = try Programs.shell("'\(box.tool)' ledger verify \(book)")
        #expect(verified.status == 0, "\(verified.output)")
    }

    @Test func `a restart ends the daemon with the code systemd starts anew at`() throws {
        let box = try Box()
        let told = try box.ask("restart")
        #expect(told.status == 0)
        let unit = try Programs.shell("grep RestartForceExitStatus=75 '\(Programs.root)/systemd/execorad.service'")
        #expect(unit.status == 0)
        let gone = try Programs.shell(
            "for i in $(seq 200); do kill -0 $(cat \(box.folder)/pid) 2>/dev/null || exit 0; sleep 0.1; done; exit 1")
        #expect(gone.status == 0)
    }

    /// Eight at once: one does not read, one talks nonsense, six ask as fast as they can. The ear must not notice.
    @Test func `eight clients cost no sound`() throws {
        let box = try Box()
        let told = try Programs.shell(
            "python3 '\(Programs.root)/board/bench/technician.py' \(box.folder)/run 3")
        #expect(told.status == 0, "\(told.output)")
        let lost = told.output.split(separator: "\n").first { $0.contains("frames_lost") }
        #expect(lost?.contains("\"value\": 0,") == true, "\(told.output)")
    }

    @Test func `the metrics file is whole, bounded and names nobody`() throws {
        let box = try Box()
        let told = try Programs.shell(
            "for i in $(seq 100); do [ -s \(box.folder)/execora.prom ] && break; sleep 0.1; done; cat \(box.folder)/execora.prom"
        )
        let series = told.output.split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect((20...60).contains(series.count), "\(told.output)")
        for line in series {
            #expect(line.split(separator: " ").count == 2 && Int(line.split(separator: " ")[1]) != nil, "\(line)")
        }
        // Every series an alert or a panel asks for is one that is written.
        let asked = try Programs.shell(
            "grep -ohE 'execora_[a-z_]+' '\(Programs.root)/systemd/prometheus/execora.rules.yml' '\(Programs.root)/systemd/grafana/execora.json' | sort -u"
        )
        let names = Set(series.map { $0.prefix { $0 != " " && $0 != "{" } })
        // Known only with a gateway or a certificate.
        let later: Set<Substring> = [
            "execora_sync_stopped", "execora_sync_parked", "execora_sync_pending_entries", "execora_clock_offset_ms",
            "execora_certificate_seconds_left",
        ]
        for name in asked.output.split(separator: "\n") {
            #expect(names.contains(name) || later.contains(name), "\(name)")
        }
    }
}
