import Glibc
import Testing

/// What surrounds the programs on a board, as far as it can be tried without one.
@Suite struct ImageTests {
    private func inFolder(_ script: String) throws -> Programs.Ended {
        try Programs.shell(
            """
            set -e; f=$(mktemp -d); trap 'rm -rf $f' EXIT; export EXECORA_SELECT=$f/select EXECORA_SLOT_STATE=$f/state
            mkdir $f/select; t='\(Programs.root)/board/image/tryboot'
            printf '[all]\\ntryboot_a_b=1\\nboot_partition=2\\n[tryboot]\\nboot_partition=3\\n' > $f/select/autoboot.txt
            \(script)
            """)
    }

    /// A new half is tried once and is the standing one only when it proved itself.
    @Test func `an update is tried, and stands only once it is marked good`() throws {
        let told = try inFolder(
            """
            test $($t get-primary) = A; $t set-primary B; test $($t get-primary) = A; grep -q '^boot_partition=2' $f/select/autoboot.txt
            $t set-state B good; test $($t get-primary) = B; test $($t get-state B) = good
            awk '/tryboot]/ {on=1} on && /boot_partition=2/ {found=1} END {exit !found}' $f/select/autoboot.txt
            """)
        #expect(told.status == 0, "\(told.output)")
    }

    @Test func `a half that is bad is left for the other, and asking changes nothing`() throws {
        let told = try inFolder(
            """
            $t set-state A bad; test $($t get-primary) = B; test $($t get-state A) = bad; before=$(cat $f/select/autoboot.txt)
            $t get-primary; $t get-state B; test "$before" = "$(cat $f/select/autoboot.txt)"
            echo 'console=tty1 bootpart=3 root=x' > $f/cmdline; test $(EXECORA_CMDLINE=$f/cmdline $t get-current) = B
            ! $t set-primary C
            """)
        #expect(told.status == 0, "\(told.output)")
    }

    @Test func `the partition table can be written and holds two halves and the data`() throws {
        let told = try Programs.shell(
            "set -e; f=$(mktemp); trap 'rm -f $f' EXIT; truncate -s 8G $f; PATH=$PATH:/usr/sbin:/sbin; sfdisk -q $f < '\(Programs.root)/board/image/partitions.sfdisk'; sfdisk -l -o Name $f"
        )
        #expect(told.status == 0, "\(told.output)")
        for name in ["select", "boot-a", "boot-b", "root-a", "root-b", "data"] { #expect(told.output.contains(name)) }
    }

    /// A page and completions made from the program's own help cannot miss a command.
    @Test func `man page and completions name every command`() throws {
        let tool = try Programs.path("execoractl")
        let told = try Programs.shell(
            """
            set -e; f=$(mktemp -d); trap 'rm -rf $f' EXIT
            '\(Programs.root)/board/packages/man/pages' '\(tool)' $f; bash -n $f/execoractl.bash
            for word in $('\(tool)' --help | sed -n 's/^  \\([a-z-]*\\): .*/\\1/p'); do
              grep -q "^.B $(echo "$word" | sed 's/-/\\\\\\\\-/g')$" $f/execoractl.1 || { echo "page lacks $word"; exit 1; }
              grep -qw -- "$word" $f/execoractl.bash && grep -q "'$word:" $f/_execoractl || { echo "completions lack $word"; exit 1; }
            done
            """)
        #expect(told.status == 0, "\(told.output)")
    }

    @Test func `every script of the board is sound shell, and the dashboard is JSON`() throws {
        let told = try Programs.shell(
            """
            set -e; cd '\(Programs.root)'
            for script in board/image/tryboot board/image/mark-good board/provision/first-boot board/packages/build board/packages/try \
              board/packages/man/pages board/arm64/build board/arm64/try board/arm64/sdk.sh board/debian13/root.sh board/debian13/check; do bash -n $script; done
            for script in systemd/rescue board/packages/*.postinst board/packages/*.prerm board/packages/*.postrm; do sh -n $script; done
            python3 -c 'import json; json.load(open("systemd/grafana/execora.json"))'
            """)
        #expect(told.status == 0, "\(told.output)")
    }
}
