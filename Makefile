CARGO = cargo
# What is built is looked for in target/.
unexport CARGO_TARGET_DIR CARGO_BUILD_TARGET_DIR
# The lock file says which version of each dependency is built.
LOCKED = --locked

PREFIX = /usr/local
DESTDIR =

NAME = codearts-check-log
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
PROGRAM = target/release/$(NAME)
STAND_IN = target/release/examples/stand-in
MAN_PAGE = doc/$(NAME).1
BASH_COMPLETION = doc/completions/$(NAME).bash
ZSH_COMPLETION = doc/completions/_$(NAME)
FISH_COMPLETION = doc/completions/$(NAME).fish
UNITS = doc/systemd/$(NAME)@.service doc/systemd/$(NAME)@.timer

# The target of `make static` and `make dist`: by default the one that rustc builds for.
TARGET = $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')
STATIC = target/$(TARGET)/release/$(NAME)
# Position independent, as rustc links it where it can, and with nothing left to write to that the
# loader has filled in. It has no index for unwinding: it never unwinds (panic = "abort"). No path of the
# machine that builds it gets into the binary.
STATIC_FLAGS = '-Ctarget-feature=+crt-static' '-Crelro-level=full' \
	'-Clink-arg=-Wl,--no-eh-frame-hdr' \
	'--remap-path-prefix=$(CURDIR)=.' \
	'--remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=cargo'

# The licenses of what cargo doesn't know: Rust's standard library, by rustup or else Debian, and the
# C library.
RUST_LICENSES = $(or $(wildcard $(shell rustc --print sysroot)/share/doc/rust/COPYRIGHT-library.html), \
	/usr/share/doc/libstd-rust-dev/copyright)
LIBC_LICENSES = $(if $(findstring musl,$(TARGET)),/usr/share/doc/musl-dev/copyright, \
	/usr/share/doc/libc6-dev/copyright /usr/share/common-licenses/LGPL-2.1)
THIRD_PARTY = target/$(TARGET)/THIRD-PARTY

# Of the files in a package: the time of the commit, or 0 outside a repository.
SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),0)

.PHONY: help
help:
	@echo 'make build          build the program: $(PROGRAM)'
	@echo 'make demo           build it, and try it against a stand-in of the service'
	@echo 'make test           run the tests'
	@echo 'make test-all       run the slow tests too (needs strace)'
	@echo 'make lint           check format and lints'
	@echo 'make static         build it static, for TARGET: $(TARGET)'
	@echo 'make dist           pack that: target/dist/$(NAME)-$(VERSION)-$(TARGET).tar.gz'
	@echo 'make packages       the same, and a .deb and an .rpm (needs python3, rpmbuild)'
	@echo 'make bench          measure it against curl and wget (needs nginx, curl, wget, time)'
	@echo 'make install        install to PREFIX: $(PREFIX)'
	@echo 'make uninstall      remove what was installed'
	@echo 'make clean          remove what was built'
	@echo
	@echo 'Checks, as root. Each installs the Debian packages that it lacks:'
	@echo 'make static-check   try the static program in an empty root'
	@echo 'make install-check  install and uninstall, and look at the units'
	@echo 'make dist-check     see whether two folders give the same packages, and lint'
	@echo 'make packages-check install them in fresh roots, and run the job there'
	@echo 'make image-check    check the CronJob, and run its job in the image'
	@echo "make rust-version   build it with the oldest Rust it claims, Debian trixie's"
	@echo 'make cross          build for other processors, and try that under qemu-user'

.PHONY: build
build:
	$(CARGO) build $(LOCKED) --release

.PHONY: demo
demo: build
	$(CARGO) build $(LOCKED) --release --example stand-in
	@tests/demo.sh $(PROGRAM) $(STAND_IN)

# What only root can set up, or takes most of a minute, is ignored for others; what takes a minute and
# 4 GiB is in test-all.
TEST_FLAGS := $(if $(filter 0,$(shell id -u)),--include-ignored --skip more_than_4_gib)

.PHONY: test
test:
	tests/run.sh $(CARGO) test $(LOCKED) -- $(TEST_FLAGS)

.PHONY: test-all
test-all:
	@command -v strace > /dev/null || \
		{ echo 'make test-all: strace is missing (Debian: strace)' >&2; exit 1; }
	tests/run.sh $(CARGO) test $(LOCKED) -- --include-ignored

.PHONY: lint
lint:
	@for tool in fmt clippy; do $(CARGO) $$tool --version > /dev/null 2>&1 || { echo "make lint: it needs cargo $$tool" \
		'(rustup component add rustfmt clippy; Debian: rustfmt and rust-clippy)' >&2; exit 1; }; done
	$(CARGO) fmt --check
	$(CARGO) clippy $(LOCKED) --all-targets -- -D warnings

.PHONY: static
static:
	@[ -d "$$(rustc --print target-libdir --target $(TARGET))" ] || \
		{ echo 'make static: the toolchain has no $(TARGET)' >&2; exit 1; }
	CARGO_ENCODED_RUSTFLAGS="$$(printf '%s\037%s\037%s\037%s\037%s' $(STATIC_FLAGS))" \
		$(CARGO) build $(LOCKED) --release --target $(TARGET)
	! readelf --program-headers --wide $(STATIC) | grep INTERP
	@readelf --file-header $(STATIC) | grep -q 'Type: *DYN' || \
		echo 'make static: for $(TARGET), rustc links it to a fixed address' >&2

.PHONY: static-check
static-check: static
	$(CARGO) build $(LOCKED) --release --example stand-in
	tests/static_check.sh $(STATIC) $(STAND_IN)

.PHONY: rust-version
rust-version:
	tests/rust_version.sh target/trixie

.PHONY: cross
cross:
	$(CARGO) build $(LOCKED) --release --example stand-in
	tests/cross.sh target/forky $(STAND_IN) target/cross $(VERSION) $(SOURCE_DATE_EPOCH)

PACK = MAKE='$(MAKE)' SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) \
	packaging/pack.sh $(VERSION) $(TARGET) $(STATIC) $(THIRD_PARTY)

.PHONY: third-party
third-party: static
	@command -v python3 > /dev/null || { echo 'make dist: it needs python3' >&2; exit 1; }
	CARGO='$(CARGO)' packaging/third_party.py $(TARGET) $(RUST_LICENSES) $(LIBC_LICENSES) \
		> $(THIRD_PARTY).new
	mv $(THIRD_PARTY).new $(THIRD_PARTY)

.PHONY: dist
dist: third-party
	$(PACK) tarball

.PHONY: packages
packages: third-party
	$(PACK) tarball deb rpm

.PHONY: dist-check
dist-check:
	tests/dist_check.sh $(VERSION) $(TARGET) $(SOURCE_DATE_EPOCH)

.PHONY: packages-check
packages-check: packages
	$(CARGO) build $(LOCKED) --release --example stand-in
	tests/packages_check.sh target/bookworm $(STAND_IN) $(VERSION)

.PHONY: image-check
image-check: static
	$(CARGO) build $(LOCKED) --release --example stand-in
	tests/image_check.sh $(STATIC) $(STAND_IN) target/kubernetes-validate

.PHONY: bench
bench: static
	tests/bench.py $(STATIC) $(OLD)

ROOT = $(DESTDIR)$(PREFIX)

# It builds nothing: root may have no toolchain.
.PHONY: install
# The unit names it, where more characters than these would need quotes.
install: export PREFIX := $(PREFIX)
install:
	@case "$$PREFIX" in [!/]* | *[!A-Za-z0-9/._+-]*) \
		echo "make install: PREFIX is an absolute path of A-Z a-z 0-9 / . _ + -, not '$$PREFIX'" >&2; exit 1;; esac
	@test -x $(PROGRAM) || { echo 'make install: there is no $(PROGRAM) yet: make build' >&2; exit 1; }
	install -D -m 755 $(PROGRAM) '$(ROOT)/bin/$(NAME)'
	install -D -m 644 $(MAN_PAGE) '$(ROOT)/share/man/man1/$(NAME).1'
	install -D -m 644 $(BASH_COMPLETION) '$(ROOT)/share/bash-completion/completions/$(NAME)'
	install -D -m 644 $(ZSH_COMPLETION) '$(ROOT)/share/zsh/site-functions/_$(NAME)'
	install -D -m 644 $(FISH_COMPLETION) '$(ROOT)/share/fish/vendor_completions.d/$(NAME).fish'
	install -D -m 644 -t '$(ROOT)/lib/systemd/system' $(UNITS)
	sed -i 's|/usr/local/bin:|$(PREFIX)/bin:|; s|=/usr/bin:/usr/bin:|=/usr/bin:|' \
		'$(ROOT)/lib/systemd/system/$(NAME)@.service'
	@case '$(PREFIX)' in /usr | "$$HOME/.local") ;; \
		*) echo 'fish looks for its completion only where XDG_DATA_DIRS has $(PREFIX)/share' ;; esac

.PHONY: uninstall
uninstall:
	@! ls -d '$(DESTDIR)/etc/systemd/system/timers.target.wants/$(NAME)@'*.timer 2> /dev/null || \
		{ echo "make uninstall: first disable these timers: systemctl stop '$(NAME)@*.timer' &&" \
		'systemctl disable $(NAME)@.timer' >&2; exit 1; }
	rm -f '$(ROOT)/bin/$(NAME)' '$(ROOT)/share/man/man1/$(NAME).1' \
		'$(ROOT)/share/bash-completion/completions/$(NAME)' \
		'$(ROOT)/share/zsh/site-functions/_$(NAME)' \
		'$(ROOT)/share/fish/vendor_completions.d/$(NAME).fish' \
		'$(ROOT)/lib/systemd/system/$(NAME)@.service' '$(ROOT)/lib/systemd/system/$(NAME)@.timer'

.PHONY: install-check
install-check: build
	$(CARGO) build $(LOCKED) --release --example stand-in
	tests/install_check.sh $(STAND_IN)

.PHONY: clean
clean:
	$(CARGO) clean
