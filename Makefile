# SPDX-License-Identifier: BSD-2-Clause
#
#   bpf/X.bpf.c -> X.bpf.o -> X.skel.h -.
#   user/*.c ---------------------------+-> libxcap.a, libxcap.so -> xcap
#   user/shim/ -------------------------'-> libxcap-pcap.so
#
# One Makefile, and everything it makes is in build/. `make help` lists the
# targets. Sources are found by wildcard: a new file needs no edit here.
#
#   V=1                     show the commands
#   SAN=address,undefined   sanitizers, in a build directory of its own
#   T=word                  only the tests with this word in their name
#   REQUIRE=net,vm          tiers in which a skipped test is a failed one

comma	:= ,
SAN	?=
B	?= build$(addprefix -,$(subst $(comma),-,$(SAN)))
CC	?= cc
CLANG	?= clang
BPFTOOL	?= bpftool
OBJCOPY	?= objcopy
PKG	?= pkg-config
CFLAGS	?= -O2 -g
PREFIX	?= /usr/local
BINDIR	?= $(PREFIX)/bin
LIBDIR	?= $(PREFIX)/lib
INCDIR	?= $(PREFIX)/include
MANDIR	?= $(PREFIX)/share/man
# Wireshark looks in one directory of the system (`tshark -G folders`), wherever we are
EXTCAPDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),/usr/lib/$(shell uname -m)-linux-gnu,$(LIBDIR))/wireshark/extcap
MAKEFLAGS += -r

# the version stands in xcap.h and nowhere else
version	= $(shell sed -n 's/^\#define XCAP_VERSION_$(1) //p' include/xcap.h)
MAJOR	:= $(call version,MAJOR)
VERSION	:= $(MAJOR).$(call version,MINOR).$(call version,PATCH)
SONAME	:= libxcap.so.$(MAJOR)

# ---- what is needed, by the names of Debian 12 ----

BUILD_DEPS := gcc libc6-dev make pkg-config clang llvm bpftool libbpf-dev \
	libxdp-dev libelf-dev zlib1g-dev libpcap-dev libmnl-dev libjson-c-dev libmicrohttpd-dev \
	libncurses-dev
RUN_DEPS := iproute2 curl python3
TEST_DEPS := ethtool nftables tcpdump tshark libcmocka-dev gcc-multilib g++ \
	libclang-rt-14-dev shellcheck clang-format git linux-perf strace xz-utils libcap2-bin \
	ngrep tcpflow p0f arp-scan python3-scapy python3-prometheus-client spin bpftrace tmux
DEPS	:= $(BUILD_DEPS) $(RUN_DEPS) $(TEST_DEPS)
LIBRARIES := libbpf libxdp libpcap libmnl json-c libmicrohttpd ncursesw

# all targets but these stop here, with one line, when something is missing
ifneq ($(filter-out deps demo test help clean uninstall,$(or $(MAKECMDGOALS),all)),)
missing	:= $(strip $(shell $(PKG) --version >/dev/null 2>&1 || echo $(PKG); \
	for l in $(LIBRARIES); do $(PKG) --exists $$l 2>/dev/null || echo $$l; done; \
	for c in $(CLANG) $(BPFTOOL); do command -v $$c >/dev/null || echo $$c; done))
ifneq ($(missing),)
$(error missing: $(missing) -- `make deps` installs what is needed)
endif
# libpcap itself, which the shim has the name of and stands in front of
LIBPCAP	:= $(realpath $(shell $(PKG) --variable=libdir libpcap)/libpcap.so)
PCAP_SONAME := $(shell readelf -d $(LIBPCAP) | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
# json-c would put its json.h before ours: it is included by its directory; ncurses would define
# which POSIX all of us see
PKG_CFLAGS := $(shell $(PKG) --cflags $(filter-out json-c ncursesw,$(LIBRARIES)))
LIBS	:= $(shell $(PKG) --libs $(LIBRARIES))
endif

# ---- what there is ----

names	= $(basename $(notdir $(wildcard $(1))))
BPF	:= $(basename $(call names,bpf/*.bpf.c))
LIB	:= $(call names,user/*.c)
TOOL	:= $(call names,tools/*.c)
EXAMPLE	:= $(call names,examples/*.c)
UNIT	:= $(call names,tests/unit/test_*.c)
STATIC	:= $(call names,tests/net/static_*.c)
PROG	:= $(filter-out $(STATIC),$(call names,tests/*.c tests/net/*.c tests/vm/*.c tests/bench/*.c))
PROG32	:= $(call names,tests/net/*calls*.c)
TESTBPF	:= $(basename $(call names,tests/bpf/*.bpf.c))
FUZZ	:= $(patsubst fuzz_%,%,$(call names,tests/fuzz/fuzz_*.c))

OBJ	:= $(LIB:%=$(B)/user/%.o)
SKEL	:= $(BPF:%=$(B)/%.skel.h)
TESTSKEL := $(TESTBPF:%=$(B)/tests/%.skel.h)
BIN	:= $(if $(TOOL),$(B)/xcap $(B)/xdpcount $(B)/xcap-extcap)
PC	:= $(B)/libxcap.pc
SHIM	:= $(B)/libxcap-pcap.so
LUA	:= $(B)/xcap.lua
UNITS	:= $(UNIT:%=$(B)/tests/%)
PROGS	:= $(PROG:%=$(B)/tests/%)
STATICS	:= $(STATIC:%=$(B)/tests/%)
PROGS32	:= $(PROG32:%=$(B)/tests/%32)
TSANS	:= $(B)/tests/tsan_queue $(B)/tests/tsan_merge
HOSTILE	:= $(addprefix $(B)/tests/,queue_hostile queue_reader txgen)
REPLAYS	:= $(FUZZ:%=$(B)/tests/replay_%)
FUZZERS	:= $(FUZZ:%=$(B)/fuzz/fuzz_%)

# ---- how it is built ----

DEPFILE	= -MMD -MP -MT $@ -MF $@.d
WARN	:= -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wundef -Wwrite-strings -Wno-unused-parameter $(if $(WERROR),-Werror)
SANITIZE := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
COMPILE	= -std=gnu11 $(WARN) -Iinclude -I$(B) $(PKG_CFLAGS) $(SANITIZE) $(CFLAGS) $(DEPFILE)
INSIDE	= -Iuser -D_GNU_SOURCE= -fPIC -fvisibility=hidden
TESTING	= -Iuser -Itools -Itests/lib -I$(B)/tests
LINK	= $(SANITIZE) $(LDFLAGS) -Wl,--as-needed $(LIBS)
BPF_ARCH := $(patsubst x86_64,x86,$(patsubst aarch64,arm64,$(shell uname -m)))
COMPILE_BPF = $(CLANG) -O2 -g -target bpf -mcpu=v3 -D__bpf__ -D__TARGET_ARCH_$(BPF_ARCH) \
	-Wall -Wextra -Wno-unused-parameter -Werror -I. -Iinclude -Ibpf $(DEPFILE)

ifeq ($(V),1)
say	=
Q	:=
else
say	= @printf '  %-7s %s\n' '$(1)' '$(patsubst $(B)/%,%,$@)';
Q	:= @
endif

all: $(B)/libxcap.a $(B)/libxcap.so.$(VERSION) $(SHIM) $(BIN) $(LUA) $(EXAMPLE:%=$(B)/examples/%)	## library, tools and examples
tests: all $(UNITS) $(PROGS) $(PROGS32) $(STATICS) $(REPLAYS) $(TESTSKEL)	## and the test programs
fuzzers: $(FUZZERS)

# kernel half: debug sections go, BTF stays
$(B)/%.bpf.o: bpf/%.bpf.c Makefile | dirs
	$(call say,BPF)$(COMPILE_BPF) -c $< -o $@ && llvm-strip -g $@
$(B)/tests/%.bpf.o: tests/bpf/%.bpf.c Makefile | dirs
	$(call say,BPF)$(COMPILE_BPF) -c $< -o $@ && llvm-strip -g $@
%.skel.h: %.bpf.o
	$(call say,SKEL)$(BPFTOOL) gen skeleton $< name $(notdir $*)_bpf > $@

# library: both kinds show what is marked XCAP_API and nothing else
$(B)/user/%.o: user/%.c Makefile | $(SKEL) dirs
	$(call say,CC)$(CC) $(COMPILE) $(INSIDE) -c $< -o $@
$(B)/libxcap.a: $(OBJ)
	$(call say,AR)$(LD) -r -o $(B)/libxcap.o $^ && $(OBJCOPY) --localize-hidden $(B)/libxcap.o && \
		rm -f $@ && $(AR) rcs $@ $(B)/libxcap.o
$(B)/libxcap.so.$(VERSION): $(OBJ) user/libxcap.map
	$(call say,LD)$(CC) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=user/libxcap.map \
		$(if $(SAN),,-Wl,-z,defs) -o $@ $(OBJ) $(LINK)
	$(Q)ln -sf $(@F) $(B)/$(SONAME) && ln -sf $(SONAME) $(B)/libxcap.so
$(PC): user/libxcap.pc.in FORCE
	$(Q)sed -e 's|@INCDIR@|$(INCDIR)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|' $< > $@

# shim: the library once more, under libpcap's names; pcap/ is for LD_LIBRARY_PATH
$(B)/shim/pcap_shim.o: user/shim/pcap_shim.c Makefile | dirs
	$(call say,CC)$(CC) $(COMPILE) $(INSIDE) -DLIBPCAP_PATH='"$(dir $(LIBPCAP))$(PCAP_SONAME)"' -c $< -o $@
$(B)/shim/forward.S: user/shim/forward.sh $(B)/shim/pcap_shim.o
	$(Q)user/shim/forward.sh $(LIBPCAP) $(B)/shim/pcap_shim.o > $@
$(B)/shim/forward.o: $(B)/shim/forward.S
	$(call say,AS)$(CC) -c $< -o $@
$(SHIM): $(B)/shim/pcap_shim.o $(B)/shim/forward.o $(OBJ) user/shim/libpcap.map
	$(call say,LD)$(CC) -shared -Wl,-soname,$(PCAP_SONAME) -Wl,-Bsymbolic -Wl,--version-script=user/shim/libpcap.map \
		$(if $(SAN),,-Wl,-z,defs) -o $@ $(filter %.o,$^) $(SANITIZE) $(LDFLAGS) -Wl,--as-needed $(filter-out -lpcap,$(LIBS))
	$(Q)mkdir -p $(B)/pcap && ln -sf ../$(@F) $(B)/pcap/$(PCAP_SONAME)

# tools: one program of all the files, under several names
$(B)/tools/%.o: tools/%.c Makefile | dirs
	$(call say,CC)$(CC) $(COMPILE) -DXCAP_LIBDIR='"$(LIBDIR)"' -c $< -o $@
$(B)/xcap: $(TOOL:%=$(B)/tools/%.o) $(B)/libxcap.a
	$(call say,LINK)$(CC) -o $@ $^ $(LINK)
$(B)/xdpcount $(B)/xcap-extcap: $(B)/xcap
	$(Q)ln -sf xcap $@
# Wireshark's dissector: the script, with the tables of system calls, names and errors put in
$(B)/lua_names: user/lua/lua_names.c $(B)/inside.a Makefile | dirs
	$(call say,LINK)$(CC) $(COMPILE) $(INSIDE) -o $@ $< $(B)/inside.a $(LINK)
$(LUA): tools/xcap.lua user/syscall_lua.h user/syscall_names.h user/syscall_names32.h $(B)/lua_names Makefile | dirs
	$(Q)$(CC) -E -P user/syscall_lua.h > $@.calls
	$(Q)$(B)/lua_names > $@.forms
	$(Q)echo '#include <errno.h>' | $(CC) -E -dM - | \
		sed -n 's/^#define \(E[A-Z0-9]*\) \([0-9]*\)$$/	[\2] = "\1",/p' > $@.errors
	$(Q)sed -e '/^local calls = {$$/r $@.calls' -e '/^local errors = {$$/r $@.errors' \
		-e '/^local forms = {$$/r $@.forms' $< > $@
$(B)/examples/%: examples/%.c $(B)/libxcap.a Makefile | dirs
	$(call say,LINK)$(CC) $(COMPILE) -o $@ $< $(B)/libxcap.a $(LINK)

# tests: unit tests see the inside of library and tools, all others what a user sees
vpath test_%.c tests/unit
vpath fuzz_%.c tests/fuzz
vpath %.c tests tests/net tests/vm tests/bench
$(B)/inside.a: $(OBJ)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(B)/tools.a: $(patsubst %,$(B)/tools/%.o,$(filter-out xcap,$(TOOL)))
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(UNITS): $(B)/tests/%: %.c $(B)/tools.a $(B)/inside.a Makefile | $(TESTSKEL) dirs
	$(call say,TEST)$(CC) $(COMPILE) $(TESTING) -o $@ $< $(B)/tools.a $(B)/inside.a $(LINK) -lcmocka -lpthread
$(B)/tests/test_oom: LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray
$(B)/tests/test_doctor: LDFLAGS += -Wl,--wrap=ioctl
# with ThreadSanitizer: of the library, what two threads or processes share
$(TSANS): SANITIZE = -fsanitize=thread -fno-omit-frame-pointer -Wno-tsan
$(B)/tests/tsan_queue: $(addprefix user/,frames.c queue_names.c umem.c error.c)
$(B)/tests/tsan_merge: $(addprefix user/,merge.c error.c clock.c)
$(TSANS): $(B)/tests/tsan_%: test_%.c $(wildcard user/*.h) include/xcap.h Makefile | dirs
	$(call say,TEST)$(CC) $(COMPILE) $(TESTING) -D_GNU_SOURCE= -o $@ $(filter %.c,$^) $(LINK) \
		-lcmocka -lpthread
$(PROGS): $(B)/tests/%: %.c $(B)/libxcap.a Makefile | $(TESTSKEL) dirs
	$(call say,TEST)$(CC) $(COMPILE) $(TESTING) -o $@ $< $(B)/libxcap.a $(LINK) -lm -lpthread
$(PROGS32): $(B)/tests/%32: %.c Makefile | dirs
	$(call say,TEST)$(CC) -m32 -std=gnu11 $(WARN) $(CFLAGS) $(DEPFILE) -o $@ $< -lpthread
$(STATICS): $(B)/tests/%: %.c Makefile | dirs
	$(call say,TEST)$(CC) -static -std=gnu11 $(WARN) $(CFLAGS) $(DEPFILE) -o $@ $<
$(B)/tests/replay.o: tests/fuzz/replay.c Makefile | dirs
	$(Q)$(CC) $(COMPILE) -c $< -o $@
$(REPLAYS): $(B)/tests/replay_%: fuzz_%.c $(B)/tests/replay.o $(B)/inside.a Makefile | dirs
	$(call say,TEST)$(CC) $(COMPILE) $(TESTING) -o $@ $< $(B)/tests/replay.o $(B)/inside.a $(LINK)

# fuzzers: the library once more, with clang's eyes in it
FUZZFLAGS := -O1 -fno-omit-frame-pointer -Wno-unknown-warning-option -Wno-missing-prototypes
$(B)/fuzz/user/%.o: user/%.c Makefile | $(SKEL) dirs
	$(call say,FUZZ)$(CLANG) $(COMPILE) $(INSIDE) $(FUZZFLAGS) -fsanitize=fuzzer-no-link,address,undefined -c $< -o $@
$(B)/fuzz/inside.a: $(LIB:%=$(B)/fuzz/user/%.o)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(FUZZERS): $(B)/fuzz/%: %.c $(B)/fuzz/inside.a Makefile
	$(call say,FUZZ)$(CLANG) $(COMPILE) $(TESTING) $(FUZZFLAGS) -fsanitize=fuzzer,address,undefined \
		-o $@ $< $(B)/fuzz/inside.a $(LIBS)

dirs:
	@mkdir -p $(B)/user $(B)/shim $(B)/tools $(B)/examples $(B)/tests $(B)/fuzz/user

# ---- tests ----

FUZZ_SECONDS ?= 60
TIERS	:= check check-net check-vm check-san fuzz
UNIT_RUNS = $(UNITS) $(foreach f,$(FUZZ),'$(B)/tests/replay_$f tests/fuzz/corpus/$f')
JOBS	= $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))
export T REQUIRE
run	= @B=$(abspath $(B)) exec tests/run.sh

check: tests	## tests that need no root: units, command line, the sources themselves
	$(run) check $(UNIT_RUNS) tests/cli tests/model
check-net: tests promtool	## tests in private network namespaces (as root)
	$(run) net tests/net
# what a test without a network needs of Debian's mirror; it says itself what is missing
promtool: | dirs
	@B=$(abspath $(B)) bash tests/lib/promtool.sh >/dev/null || true
check-vm: tests	## tests in emulated guests: zero copy, other kernels
	$(run) vm tests/vm
check-san:	## unit tests, fuzzing corpus and a hostile reader with ASan, UBSan and TSan
	$(Q)$(MAKE) --no-print-directory $(JOBS) B=$(B)-san SAN=address,undefined san
san: $(UNITS) $(REPLAYS) $(TSANS) $(HOSTILE) $(B)/xcap
	$(run) san $(UNIT_RUNS) $(TSANS) tests/net/queue_hostile.sh
fuzz: fuzzers	## each fuzzer for FUZZ_SECONDS
	@B=$(abspath $(B)) TIMEOUT=$$(($(FUZZ_SECONDS) + 60)) exec tests/run.sh fuzz $(foreach f,$(FUZZ),'tests/fuzz/fuzz.sh $f $(FUZZ_SECONDS)')
bench: tests	## the table of ratios (as root, takes minutes)
	@B=$(abspath $(B)) exec tests/bench/run.sh
demo: deps	## a curl as one stream of packets and syscalls (as root)
	$(Q)$(MAKE) --no-print-directory $(JOBS) all
	@B=$(abspath $(B)) exec examples/demo.sh
test: deps	## install what is missing, build, run every tier
	@MAKE='$(MAKE) --no-print-directory' exec tests/run.sh --tiers $(TIERS)
check-abi: $(B)/libxcap.so.$(VERSION)	## header, symbol map and library say the same
	@B=$(abspath $(B)) tests/cli/abi.sh
format-check:	## what clang-format would change in the lines changed since BASE
	@! git clang-format --diff --extensions c,h $(or $(BASE),HEAD) | grep -E '^[-+]'

# nothing to do takes one dpkg-query
deps:	## install what is missing (Debian, as root)
	@command -v dpkg-query >/dev/null || { echo 'no dpkg here; Debian calls what is needed: $(DEPS)'; exit 0; }; \
	need=$$(dpkg-query -W -f '$${db:Status-Abbrev} $${Package}\n' $(DEPS) 2>/dev/null | \
		awk -v want='$(DEPS)' '$$1 == "ii" { have[$$2] } \
		END { n = split(want, w, " "); for (i = 1; i <= n; i++) if (!(w[i] in have)) print w[i] }'); \
	[ -z "$$need" ] && exit; \
	[ "$$(id -u)" = 0 ] || { echo "as root: apt-get install" $$need; exit 1; }; \
	echo "installing:" $$need; export DEBIAN_FRONTEND=noninteractive; \
	apt-get update -qq && apt-get install -y -qq --no-install-recommends $$need >/dev/null

# ---- install ----

# one list for install and uninstall, each "mode:file:destination"; what Wireshark runs is a
# copy, which can have capabilities of its own
FILES	= 644:include/xcap.h:$(INCDIR)/xcap.h \
	644:include/xcap_call.h:$(INCDIR)/xcap_call.h \
	644:include/xcap_cluster.h:$(INCDIR)/xcap_cluster.h \
	644:include/xcap_probe.h:$(INCDIR)/xcap_probe.h \
	644:include/xcap_serve.h:$(INCDIR)/xcap_serve.h \
	644:include/xcap_pcap.h:$(INCDIR)/xcap_pcap.h \
	755:$(SHIM):$(LIBDIR)/$(notdir $(SHIM)) \
	link:../$(notdir $(SHIM)):$(LIBDIR)/xcap/$(or $(PCAP_SONAME),libpcap.so.0.8) \
	644:$(B)/libxcap.a:$(LIBDIR)/libxcap.a \
	755:$(B)/libxcap.so.$(VERSION):$(LIBDIR)/libxcap.so.$(VERSION) \
	link:libxcap.so.$(VERSION):$(LIBDIR)/$(SONAME) \
	link:$(SONAME):$(LIBDIR)/libxcap.so \
	644:$(PC):$(LIBDIR)/pkgconfig/libxcap.pc \
	644:$(LUA):$(PREFIX)/share/xcap/xcap.lua \
	$(if $(TOOL),755:$(B)/xcap:$(BINDIR)/xcap link:xcap:$(BINDIR)/xdpcount \
		755:$(B)/xcap:$(EXTCAPDIR)/xcap-extcap) \
	$(foreach m,$(wildcard man/*.[1-9]),644:$m:$(MANDIR)/man$(subst .,,$(suffix $m))/$(notdir $m))

install: all $(PC)	## install below DESTDIR and PREFIX
	$(Q)printf '%s\n' $(FILES) | while IFS=: read -r mode file to; do to="$(DESTDIR)$$to"; \
		if [ $$mode = link ]; then mkdir -p "$${to%/*}" && ln -sfn $$file "$$to"; \
		else install -D -m $$mode $$file "$$to"; fi || exit; done
uninstall:	## remove what install installed
	$(Q)printf '%s\n' $(FILES) | while IFS=: read -r mode file to; do rm -f "$(DESTDIR)$$to"; done
clean:	## remove what was built
	$(Q)rm -rf $(B) $(B)-san
help:	## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 16

FORCE:
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all tests fuzzers dirs promtool check check-net check-vm check-san san fuzz bench demo \
	test check-abi format-check deps install uninstall clean help FORCE
-include $(wildcard $(B)/*.d $(B)/*/*.d $(B)/fuzz/user/*.d)
