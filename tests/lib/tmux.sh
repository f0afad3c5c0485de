# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   . tmux.sh, behind netns.sh.
# Out:  a terminal of a known size, keys typed into it, and what it shows.
# Owns: a tmux server with a socket in the test's directory, which dies with the script.
# Runs on: root.
#
#	terminal 80 24 'xcap top -i file:x.pcapng'
#	shows 'all > process' && screen
#	keys f && shows 'filter:'

command -v tmux >/dev/null || skip "no tmux"

tm() {
	tmux -N -S "$PWD/s" "$@"	# it starts no server: that would outlive us
}

# terminal COLUMNS LINES COMMAND: a shell's command in the directory of the test
terminal() {
	local i

	rm -f s
	# what runs there ends with its terminal, also if who started us ignores that
	ns_bg '' tmux env --default-signal=HUP -u TMUX TERM=screen LC_ALL=C.UTF-8 tmux -u -f /dev/null -S "$PWD/s" -D
	for ((i = 0; i < 100; i++)); do
		[ -S s ] && break
		sleep 0.05
	done
	tm set-option -g status off \; set-option -g default-shell /bin/sh \; \
		set-option -g default-terminal screen \; set-option -g exit-empty off
	tm new-session -d -x "$1" -y "$2" -c "$PWD" "$3; sleep 1000"
}

terminal_end() {
	tm kill-server 2>/dev/null
	finished tmux 5
	rm -f s
}

keys() {
	tm send-keys "$@"
}

# type TEXT: letter by letter as it stands
types() {
	tm send-keys -l "$1"
}

# What it shows; of several empty lines one.
screen() {
	tm capture-pane -p | cat -s
}

# shows REGEX: wait until a line is like it, and nothing moves any more
shows() {
	local i now before=''

	for ((i = 0; i < 200; i++)); do
		now=$(tm capture-pane -p)
		if [ "$now" = "$before" ] && grep -qE -- "$1" <<<"$now"; then
			return
		fi
		before=$now
		sleep 0.03
	done
	echo "the screen does not show '$1':"
	echo "$now"
	exit 1
}

# says TEXT: a heading above the screen that is printed
says() {
	echo "==== $*"
	screen
}
