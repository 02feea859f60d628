# Benchmarks; included by the Makefile at the root.

##@ Measure

.PHONY: bench-index
bench-index: setup ## the index: disk, searches, memory, load; COUNT=1000000 for a million
	@$(PY) -m bench.index --count $(or $(COUNT),100000)
	@$(PY) -m bench.index_service hub fresh-embedded fresh rpc \
	  --count $(or $(COUNT),100000)

.PHONY: bench-growth
bench-growth: setup servers ## the cost of one message in a whole system
	@$(PY) -W ignore -m bench.growth

.PHONY: bench-core
bench-core: setup ## the rules, on this machine
	@$(PY) -m bench.core

.PHONY: bench-messages
bench-messages: setup servers ## posting beside a bare Nameko RPC, reading a million messages
	@$(PY) -W ignore -m bench.messages $(ARGS)

.PHONY: bench-mail
bench-mail: setup servers ## mails a second beside Django; ARGS="peers --mails 200 --rounds 1"
	@test -x build/peers/bin/python || $(PY) -m venv build/peers
	@$(PY) -m pip --python build/peers/bin/python install -qq -c constraints.txt --group bench-mail
	@$(PY) -W ignore -m bench.mail $(ARGS)

.PHONY: bench-fairness
bench-fairness: setup servers ## how a busy partner delays quiet ones; ARGS="--busy 50"
	@$(PY) -W ignore -m bench.fairness $(ARGS)

.PHONY: bench-portal
bench-portal: setup servers ## pages beside a bare RPC, post to screen; ARGS="--streams 100"
	@$(PY) -W ignore -m bench.portal $(ARGS)

.PHONY: bench-peer
bench-peer: setup ## the same conversation here and in Matrix Synapse
	@bench/peer/run.sh

.PHONY: bench-streams
bench-streams: setup servers ## live updates: memory, lateness, neighbours; ARGS="--only memory"
	@$(PY) -W ignore -m bench.streams $(ARGS)

.PHONY: bench-uploads
bench-uploads: setup ## an upload, beside a bare receiver
	@$(PY) -W ignore -m bench.uploads

.PHONY: bench-directory
bench-directory: setup ## a directory of 100,000 people
	@$(PY) -W ignore -m bench.directory

.PHONY: bench-leaks
bench-leaks: setup servers ## response times for hidden and absent words
	@$(PY) -m bench.leaks $(ARGS)

.PHONY: bench-search
bench-search: setup servers ## search engines side by side; ARGS="--messages 1000000"
	@$(PY) -m pip --disable-pip-version-check install -qq -c constraints.txt --group bench
	@$(PY) -m bench.engines $(ARGS)
