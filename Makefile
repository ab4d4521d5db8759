CARGO = cargo
# What is built is looked for in target/, whatever the environment or cargo's configuration says.
export CARGO_TARGET_DIR = target
unexport CARGO_BUILD_TARGET
# The lock file says which version of each dependency is built.
LOCKED = --locked

PREFIX = /usr/local
DESTDIR ?=
# make itself would run a $(shell …) in them.
ifneq (,$(findstring $$,$(value PREFIX)$(value DESTDIR)))
$(error PREFIX and DESTDIR may not have a $$)
endif

NAME = codearts-check-log
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
# Where `make build` leaves the program: `make install` finds it there without a toolchain.
PROGRAM = target/$(NAME)
STAND_IN = target/debug/examples/stand-in
MAN_PAGE = doc/$(NAME).1
BASH_COMPLETION = doc/completions/$(NAME).bash
ZSH_COMPLETION = doc/completions/_$(NAME)
FISH_COMPLETION = doc/completions/$(NAME).fish
UNITS = doc/systemd/$(NAME)@.service doc/systemd/$(NAME)@.timer

# What it is built for: by default what rustc builds for.
TARGET = $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')
# With `no`, the program is linked to the shared C library of the host.
STATIC = yes
# Cargo's variable for the linker of a target.
LINKER = $(or $(CARGO_TARGET_$(shell echo '$(TARGET)' | tr a-z- A-Z_)_LINKER),cc)
# Position independent, as rustc links it where it can, and with nothing left to write to that the
# loader has filled in. It has no index for unwinding: it never unwinds (panic = "abort"). No path
# of the machine that builds it gets into the binary.
FLAGS = '-Ctarget-feature=$(if $(filter no,$(STATIC)),-,+)crt-static' '-Crelro-level=full' \
	'-Clink-arg=-Wl,--no-eh-frame-hdr' \
	'--remap-path-prefix=$(CURDIR)=.' \
	'--remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=cargo'

# The licenses of what cargo doesn't know: Rust's standard library, by rustup or else Debian, and
# the C library.
RUST_LICENSES = $(or \
	$(wildcard $(shell rustc --print sysroot)/share/doc/rust/COPYRIGHT-library.html), \
	/usr/share/doc/libstd-rust-dev/copyright)
LIBC_LICENSES = $(if $(findstring musl,$(TARGET)),/usr/share/doc/musl-dev/copyright, \
	/usr/share/doc/libc6-dev/copyright /usr/share/common-licenses/LGPL-2.1)
THIRD_PARTY = target/$(TARGET)/THIRD-PARTY

# Of the files in a package: the time of the commit, or 0 outside a repository.
SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),0)

.PHONY: help
help:
	@echo 'make build       build the program: $(PROGRAM)'
	@echo 'make demo        build it, and try it against a stand-in of the service'
	@echo 'make test        run the tests'
	@echo 'make test-all    run the slow ones too (needs strace, 4 GiB of disk)'
	@echo 'make lint        check format and lints'
	@echo 'make bench       measure it against curl, wget and the program OLD, if one is given'
	@echo '                 (needs nginx, curl, wget, time)'
	@echo 'make packages    build a tarball, a .deb and an .rpm of it (needs python3, rpmbuild)'
	@echo 'make dist        build the tarball alone (needs python3)'
	@echo 'make install     install it to PREFIX: $(PREFIX)'
	@echo 'make uninstall   remove what was installed'
	@echo 'make clean       remove what was built'
	@echo
	@echo 'What only a release or CI checks: make -C tests, make -C packaging'

.PHONY: build
build:
	@[ -d "$$(rustc --print target-libdir --target $(TARGET))" ] || \
		{ echo 'make build: there is no Rust for $(or $(TARGET),this host)' >&2; exit 1; }
	@case '$(STATIC) $(TARGET)' in no* | *musl*) ;; *) \
		[ -e "$$($(LINKER) -print-file-name=libc.a)" ] || { echo 'make build: the C library for' \
		'static programs, libc.a, is missing (Fedora: glibc-static).' \
		'Without it: make build STATIC=no' >&2; exit 1; };; esac
	CARGO_ENCODED_RUSTFLAGS="$$(printf '\037%s' $(FLAGS) | cut -c 2-)" \
		$(CARGO) build $(LOCKED) --release --target $(TARGET)
	install -m 755 target/$(TARGET)/release/$(NAME) $(PROGRAM)

# Another name for it.
.PHONY: static
static: build

# As the tests are built, whose crates it shares.
.PHONY: stand-in
stand-in:
	$(CARGO) build $(LOCKED) --example stand-in

.PHONY: demo
demo: build stand-in
	@tests/demo.sh $(PROGRAM) $(STAND_IN)

# What only root can set up, or takes most of a minute, is ignored for others; what takes a minute
# and 4 GiB is in test-all.
TEST_FLAGS := $(if $(filter 0,$(shell id -u)),--include-ignored --skip more_than_4_gib)

.PHONY: test
test:
	tests/run.sh $(CARGO) test $(LOCKED) -- $(TEST_FLAGS)

.PHONY: test-all
test-all:
	tests/run.sh $(CARGO) test $(LOCKED) -- --include-ignored

.PHONY: bench
bench: build
	tests/bench.py $(PROGRAM) $(OLD)

.PHONY: lint
lint:
	@for tool in fmt clippy; do $(CARGO) $$tool --version > /dev/null 2>&1 || \
		{ echo "make lint: it needs cargo $$tool" \
		'(rustup component add rustfmt clippy; Debian: rustfmt and rust-clippy)' >&2; exit 1; }; done
	$(CARGO) fmt --check
	$(CARGO) clippy $(LOCKED) --all-targets -- -D warnings
	! LC_ALL=C.UTF-8 grep -rn --include='*.rs' '.\{101\}' src tests

PACK = MAKE='$(MAKE)' SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) \
	packaging/pack.sh $(VERSION) $(TARGET) $(PROGRAM) $(THIRD_PARTY)

.PHONY: third-party
third-party: build
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

# From the environment, the shell takes them literally; below, they stand between quotes.
.PHONY: literal-paths
literal-paths: export PREFIX := $(PREFIX)
literal-paths: export DESTDIR := $(DESTDIR)
literal-paths:
	@case "$$PREFIX" in [!/]* | *[!A-Za-z0-9/._+-]*) echo 'make: PREFIX is an absolute path of' \
		"A-Z a-z 0-9 / . _ + - (the unit names it), not \"$$PREFIX\"" >&2; exit 1;; esac
	@case "$$DESTDIR" in *[\'[:cntrl:]]*) echo 'make: DESTDIR has neither quotes nor line breaks,' \
		"unlike \"$$DESTDIR\"" >&2; exit 1;; esac

ROOT = $(DESTDIR)$(PREFIX)

# It builds nothing: root may have no toolchain.
.PHONY: install
install: literal-paths
	@test -x $(PROGRAM) || { echo 'make install: there is no $(PROGRAM) yet: make build' >&2; exit 1; }
	install -D -m 755 $(PROGRAM) '$(ROOT)/bin/$(NAME)'
	install -D -m 644 $(MAN_PAGE) '$(ROOT)/share/man/man1/$(NAME).1'
	install -D -m 644 $(BASH_COMPLETION) '$(ROOT)/share/bash-completion/completions/$(NAME)'
	install -D -m 644 $(ZSH_COMPLETION) '$(ROOT)/share/zsh/site-functions/_$(NAME)'
	install -D -m 644 $(FISH_COMPLETION) '$(ROOT)/share/fish/vendor_completions.d/$(NAME).fish'
	install -D -m 644 -t '$(ROOT)/lib/systemd/system' $(UNITS)
	sed -i 's|/usr/local/bin:|$(PREFIX)/bin:|; s|=/usr/bin:/usr/bin:|=/usr/bin:|' \
		'$(ROOT)/lib/systemd/system/$(NAME)@.service'
	@case '$(PREFIX)' in /usr | "$$HOME/.local") ;; *) ! command -v fish > /dev/null || \
		echo 'For fish to find the completion: mkdir -p ~/.config/fish/completions && ln -s' \
		'$(PREFIX)/share/fish/vendor_completions.d/$(NAME).fish ~/.config/fish/completions/' ;; esac

.PHONY: uninstall
uninstall: literal-paths
	@! ls -d '$(DESTDIR)/etc/systemd/system/timers.target.wants/$(NAME)@'*.timer 2> /dev/null || \
		{ echo "make uninstall: first disable these timers: systemctl stop '$(NAME)@*.timer' &&" \
		'systemctl disable $(NAME)@.timer' >&2; exit 1; }
	rm -f '$(ROOT)/bin/$(NAME)' '$(ROOT)/share/man/man1/$(NAME).1' \
		'$(ROOT)/share/bash-completion/completions/$(NAME)' \
		'$(ROOT)/share/zsh/site-functions/_$(NAME)' \
		'$(ROOT)/share/fish/vendor_completions.d/$(NAME).fish' \
		'$(ROOT)/lib/systemd/system/$(NAME)@.service' '$(ROOT)/lib/systemd/system/$(NAME)@.timer'

.PHONY: clean
clean:
	$(CARGO) clean
