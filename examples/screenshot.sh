#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   the name of a PNG file; none: docs/wireshark.png.
# Out:  the picture of the README: Wireshark's window with the stream of demo.sh, curl's
#       system calls and the packets between them, one call selected.
# Owns: a mount and network namespace, an X server and a Wireshark without a user's
#       settings. They are gone with this script, however it ends.
# Runs on: root; installs what it needs on Debian.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
export B=${B:-$top/build}
png=$(realpath -m "${1:-$top/docs/wireshark.png}")
width=1280 height=800
filter='tcp || xcap.comm == "curl"'
selected='xcap.comm == "curl" && xcap.type == "enter" && xcap.syscall == "sendto"'

[ "$(id -u)" = 0 ] || { echo "the demo makes network namespaces: run it as root" >&2; exit 1; }
if [ -z "${SHOT_PRIVATE-}" ]; then
	need=$(for package in wireshark tshark xvfb xdotool imagemagick fonts-dejavu-core; do
		dpkg-query -W -f '${db:Status-Abbrev}' $package 2>/dev/null | grep -q ^ii || echo $package
	done)
	# shellcheck disable=SC2086
	[ -z "$need" ] || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends $need >/dev/null; }
	SHOT_PRIVATE=1 exec unshare -nm bash "$0" "$png"
fi

# /mnt is the demo's
dir=/run
mount -t tmpfs -o mode=755 none $dir
ip link set lo up
pids=''
cleanup() {
	trap '' INT TERM HUP
	# shellcheck disable=SC2086
	[ -z "$pids" ] || { kill -KILL $pids; wait $pids; } 2>/dev/null || true
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# within_30s COMMAND...: until it works
within_30s() {
	for _ in $(seq 300); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	echo "screenshot: this did not happen within half a minute: $*" >&2
	cat $dir/*.err >&2
	return 1
}

# in the background, not as root, and dead as soon as this script is
start() {
	setpriv --pdeathsig KILL --reuid 65534 --regid 65534 --clear-groups \
		env HOME=$dir/home XDG_RUNTIME_DIR=$dir/home LC_ALL=C.UTF-8 "$@" &
	pids="$pids $!"
}

# ---- what is shown ----

"$top/examples/demo.sh" $dir/curl.pcapng >/dev/null
cp "$B/xcap.lua" $dir/
chmod 644 $dir/curl.pcapng $dir/xcap.lua
shark=(-X "lua_script:$dir/xcap.lua" -r "$dir/curl.pcapng")
number=$(tshark "${shark[@]}" -Y "$selected" -T fields -e frame.number 2>$dir/tshark.err | tail -n 1)
[ "$number" ] || { echo "screenshot: no call by curl is in the stream" >&2; exit 1; }

# ---- how ----

profile=$dir/home/.config/wireshark
mkdir -p "$profile"
cat >"$profile/preferences" <<-'END'
	gui.column.format: "Time", "%t", "Process", "%Cus:xcap.comm", "Source", "%s", "Destination", "%d", "Protocol", "%p", "Info", "%i"
	gui.qt.font_name: DejaVu Sans Mono,9,-1,5,50,0,0,0,0,0
	gui.layout_type: 1
	gui.layout_content_1: PLIST
	gui.layout_content_2: PDETAILS
	gui.layout_content_3: NONE
	gui.update.enabled: FALSE
	gui.ask_unsaved: FALSE
	tcp.relative_sequence_numbers: TRUE
	tcp.summary_in_tree: TRUE
END
cat >"$profile/recent" <<-'END'
	gui.time_format: RELATIVE
	column.width: %t, 125, %Cus:xcap.comm, 70, %s, 90, %d, 90, %p, 70, %i, 800
	gui.geometry_main_upper_pane: 340
END
cat >"$profile/recent_common" <<-END
	gui.geometry_main_x: 0
	gui.geometry_main_y: 0
	gui.geometry_main_width: $width
	gui.geometry_main_height: $height
	gui.geometry_main_maximized: FALSE
END
# one tint for packets, two for calls and results, one for what failed
cat >"$profile/colorfilters" <<-'END'
	@Failed@xcap.ret < 0@[65535,58339,56797][26214,0,0]
	@Call@xcap.type == "enter"@[65535,63479,55255][12079,10794,2056]
	@Result@xcap.type == "exit"@[65535,65278,61423][12079,10794,2056]
	@TCP@tcp@[59367,59110,65535][4626,10023,11822]
END
chown -R 65534:65534 $dir/home
chmod 700 $dir/home

start Xvfb -displayfd 3 -screen 0 ${width}x${height}x24 -nolisten tcp -nolisten unix 3>$dir/display 2>$dir/xvfb.err
within_30s test -s $dir/display
DISPLAY=:$(cat $dir/display)
export DISPLAY
start wireshark "${shark[@]}" -Y "$filter" -g "$number" 2>$dir/wireshark.err
within_30s xdotool search --name '^curl.pcapng'
window=$(xdotool search --name '^curl.pcapng' | head -n 1)
xdotool windowsize "$window" $width $height windowmove "$window" 0 0
xdotool windowfocus "$window" mousemove $((width - 1)) $((height - 1))

# drawn to the end: two pictures are one
still() {
	import -window root $dir/new.miff && cmp -s $dir/new.miff $dir/old.miff && return
	mv $dir/new.miff $dir/old.miff
	sleep 0.5
	return 1
}
within_30s still
mv $dir/old.miff $dir/before.miff
# into the details, the last tree in them opened, and its last line; the pointer out of the way
xdotool mousemove $((width / 2)) $((height - 50)) click 1 mousemove $((width - 1)) $((height - 1))
xdotool key End End Right End
other() { import -window root $dir/new.miff && ! cmp -s $dir/new.miff $dir/before.miff; }
within_30s other && within_30s still
import -window root -strip +dither -colors 255 png8:$dir/shot.png
[ "$(stat -c %s $dir/shot.png)" -lt 300000 ] || { echo "screenshot: more than 300 kB" >&2; exit 1; }
install -m 644 $dir/shot.png "$png"
identify "$png"
