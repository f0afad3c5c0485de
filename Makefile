# SPDX-License-Identifier: BSD-2-Clause
# One Makefile, no recursion. `make help` lists the targets.

B	?= build
CC	?= cc
CLANG	?= clang
BPFTOOL	?= bpftool
PKG	?= pkg-config
PREFIX	?= /usr/local
LIBDIR	?= $(PREFIX)/lib
BINDIR	?= $(PREFIX)/bin
INCDIR	?= $(PREFIX)/include
CFLAGS	?= -O2 -g

ver	= $(shell sed -n 's/^\#define XCAP_VERSION_$(1) //p' include/xcap.h)
MAJOR	:= $(call ver,MAJOR)
VERSION	:= $(MAJOR).$(call ver,MINOR).$(call ver,PATCH)

ifeq ($(V),1)
say	=
Q	=
else
say	= @printf '  %-7s %s\n' '$(1)' '$(patsubst $(B)/%,%,$(2))';
Q	= @
endif

BPF	:= $(basename $(basename $(notdir $(wildcard bpf/*.bpf.c))))
LIB	:= $(basename $(notdir $(wildcard user/*.c)))
TOOL	:= xcap
SKEL	:= $(BPF:%=$(B)/%.skel.h)
OBJ	:= $(LIB:%=$(B)/user/%.o)

WARN	:= -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
ALL_C	:= -std=gnu11 $(WARN) -Iinclude -Iuser -I$(B) $(shell $(PKG) --cflags libbpf libxdp libpcap libmnl) -fPIC -fvisibility=hidden -MMD -MP $(CFLAGS)
LIBS	:= $(shell $(PKG) --libs libbpf libxdp libpcap libmnl)

all: $(B)/libxcap.a $(B)/libxcap.so.$(VERSION) $(TOOL:%=$(B)/%)

$(B)/%.bpf.o: bpf/%.bpf.c vmlinux.h | $(B)/user
	$(call say,BPF,$@)$(CLANG) -O2 -g -target bpf -D__bpf__ -D__TARGET_ARCH_x86 -mcpu=v3 -Wall -Werror -I. -Iinclude -MMD -MP -c $< -o $@
$(B)/%.skel.h: $(B)/%.bpf.o
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name $*_bpf > $@
$(B)/user/%.o: user/%.c | $(SKEL)
	$(call say,CC,$@)$(CC) $(ALL_C) -c $< -o $@
$(B)/libxcap.a: $(OBJ)
	$(call say,AR,$@)$(LD) -r -o $(B)/libxcap.o $^ && objcopy --localize-hidden $(B)/libxcap.o && rm -f $@ && $(AR) rcs $@ $(B)/libxcap.o
$(B)/libxcap.so.$(VERSION): $(OBJ) user/libxcap.map
	$(call say,LD,$@)$(CC) -shared -Wl,-soname,libxcap.so.$(MAJOR) -Wl,--version-script=user/libxcap.map -Wl,-z,defs -o $@ $(OBJ) $(LIBS) $(LDFLAGS)
$(TOOL:%=$(B)/%): $(B)/%: tools/%.c $(B)/libxcap.a
	$(call say,LINK,$@)$(CC) $(ALL_C) -MF $@.d -o $@ $^ $(LIBS) $(LDFLAGS)
$(B)/user:
	$(Q)mkdir -p $@

# every symbol marked XCAP_API is in the map, and nothing else is exported
check-abi: $(B)/libxcap.so.$(VERSION)
	@grep -oE '^XCAP_API .*\<(xcap_[a-z_]+)\(' include/xcap.h | grep -oE 'xcap_[a-z_]+\($$' | tr -d '(' | sort > $(B)/abi.h
	@nm -D --defined-only $< | awk '$$2=="T"{sub(/@.*/,"",$$3); print $$3}' | sort > $(B)/abi.so
	@diff -u $(B)/abi.h $(B)/abi.so

# one list, read by install and by uninstall: mode, file, destination
define FILES
644 include/xcap.h $(INCDIR)/xcap.h
644 $(B)/libxcap.a $(LIBDIR)/libxcap.a
755 $(B)/libxcap.so.$(VERSION) $(LIBDIR)/libxcap.so.$(VERSION)
755 $(B)/xcap $(BINDIR)/xcap
endef
LINKS	= $(LIBDIR)/libxcap.so.$(MAJOR) $(LIBDIR)/libxcap.so
export FILES
install: all
	$(Q)echo "$$FILES" | while read m f d; do install -D -m $$m $$f "$(DESTDIR)$$d" || exit 1; done
	$(Q)for l in $(LINKS); do ln -sf libxcap.so.$(VERSION) "$(DESTDIR)$$l"; done
uninstall:
	$(Q)echo "$$FILES" | while read m f d; do rm -f "$(DESTDIR)$$d"; done; for l in $(LINKS); do rm -f "$(DESTDIR)$$l"; done
clean:
	$(Q)rm -rf $(B)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all clean install uninstall check-abi
-include $(wildcard $(B)/*.d $(B)/user/*.d)
