CARGO = cargo
# The lock file says which version of each dependency is built.
LOCKED = --locked

PROGRAM = target/release/codearts-check-log
STAND_IN = target/release/examples/stand-in

.PHONY: help
help:
	@echo 'make build   build the program: $(PROGRAM)'
	@echo 'make demo    build it, and try it against a stand-in of the service'
	@echo 'make test    run the tests'
	@echo 'make lint    check format and lints'
	@echo 'make clean   remove what was built'

.PHONY: build
build:
	$(CARGO) build $(LOCKED) --release

.PHONY: demo
demo: build
	$(CARGO) build $(LOCKED) --release --example stand-in
	@tests/demo.sh $(PROGRAM) $(STAND_IN)

.PHONY: test
test:
	$(CARGO) test $(LOCKED)

.PHONY: lint
lint:
	$(CARGO) fmt --check
	$(CARGO) clippy $(LOCKED) --all-targets -- -D warnings

.PHONY: clean
clean:
	$(CARGO) clean
