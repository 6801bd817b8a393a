# The two commands that matter: `make up` runs the application, `make test` passes the tests. `make help` lists all.

PYTHON ?= python3
# Not from the environment: some shells put the computer's name into HOST.
HOST = 127.0.0.1
PORT ?= 8080
DOCKER ?= docker
# PyPI's torch for Linux brings gigabytes of CUDA, that of this index does not. PyPI is used if it cannot be reached.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

# Three environments: what serves, what exports a model (torch), and what tests (everything).
SERVE := .venv
EXPORT := .venv-export
DEV := .venv-dev
# What checks the page's scripts. Node comes with DEV, as a wheel.
NODE_MODULES := frontend/node_modules/.package-lock.json
NPM = PATH="$(CURDIR)/$(DEV)/bin:$$PATH" npm --prefix frontend

SERVE_REQUIREMENTS := $(wildcard template/*/requirements.txt) $(addsuffix /requirements.txt,frontend/index backend/clip local client)
TORCH := backend/clip/requirements-torch
EXPORT_REQUIREMENTS := backend/clip/requirements-export.txt $(TORCH).txt
DEV_REQUIREMENTS := $(addsuffix /requirements.txt,tests training benchmarks)
DEV_LOCK := tests/requirements.lock

CLIP_LOCKS := backend/clip/requirements.lock backend/clip/requirements-export.lock
LOCKS := frontend/index/requirements.lock $(CLIP_LOCKS)
LOCK = $(DEV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock"

# Weights that are not for commercial use are taken with ACCEPT_LICENSE=1 alone.
ACCEPT := $(if $(filter 1,$(ACCEPT_LICENSE)), --accept-license)
# MODEL=bundled is the same as no MODEL.
OTHER_MODEL := $(filter-out bundled,$(MODEL))
# A model that is to be calibrated may be exported already. Any other is a name, which is looked up before it is used.
KNOWN_MODEL := $(if $(and $(filter calibrate,$(MAKECMDGOALS)),$(wildcard $(addsuffix /model.json,$(MODEL)))),,known-model)

# An environment with another version of Python than PYTHON is made anew, by means of a phony prerequisite.
VERSION_OF_PYTHON := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
version_of = $(shell sed -n 's/^version = \([0-9]*\.[0-9]*\).*/\1/p' $(1)/pyvenv.cfg 2>/dev/null)
anew = $(if $(filter $(VERSION_OF_PYTHON),$(call version_of,$(1))),,another-python)

.PHONY: help up label test test-training coverage lint format evaluate calibrate screenshots bench fuzz soak corpora lock sbom audit functions contexts images
.PHONY: smoke clean another-python known-model model-to-calibrate

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {print "\n" substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-14s%s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

##@ Use it

ifneq ($(OTHER_MODEL),)
$(EXPORT)/installed: | $(KNOWN_MODEL)
up: $(EXPORT)/installed
endif
up: $(SERVE)/installed ## run the application; PORT=8080, HOST=0.0.0.0 for your network, MODEL= and PRETRAINED= for another CLIP, LABELS=file, TEMPLATES=file, EXAMPLES=folder of photos
ifneq ($(OTHER_MODEL)$(LABELS)$(TEMPLATES)$(EXAMPLES),)
	@model=$$($(if $(OTHER_MODEL),$(EXPORT),$(SERVE))/bin/python -m local.model_cache --model "$(or $(MODEL),bundled)" --pretrained "$(PRETRAINED)" --labels "$(LABELS)" --templates "$(TEMPLATES)" --examples "$(EXAMPLES)"$(ACCEPT) | tail -n 1) && [ -n "$$model" ] && \
	exec $(SERVE)/bin/python -m local --host $(HOST) --port $(PORT) --model "$$model"
else
	@exec $(SERVE)/bin/python -m local --host $(HOST) --port $(PORT)
endif

# A misspelt name is refused before gigabytes are installed for it.
known-model: $(SERVE)/installed
	@$(SERVE)/bin/python -m local.model_names --model "$(MODEL)" --pretrained "$(PRETRAINED)"$(ACCEPT)

label: $(SERVE)/installed ## label all photos in a folder, by the running application or one of its own: FOLDER=photos, OUT=labels.jsonl, ARGS="--labels cat,dog"
	@[ -n "$(FOLDER)" ] || { echo "Which folder? make label FOLDER=photos" >&2; exit 2; }
	@exec $(SERVE)/bin/python -m local.label $(PORT) "$(FOLDER)" --out "$(or $(OUT),labels.jsonl)" $(ARGS)

ifneq ($(filter calibrate,$(MAKECMDGOALS)),)
$(EXPORT)/installed: | model-to-calibrate $(KNOWN_MODEL)
endif
model-to-calibrate:
	@[ -n "$(OTHER_MODEL)" ] || { echo "Which model? make calibrate MODEL=ViT-B-32-256 PRETRAINED=datacomp_s34b_b86k, or MODEL=folder of an exported one. The bundled one is calibrated." >&2; exit 2; }

calibrate: $(EXPORT)/installed ## fit a model's confidence on public photographs: MODEL=name PRETRAINED=tag or MODEL=exported folder, DATA=copies of the photographs
	@exec $(EXPORT)/bin/python -m local.calibrate --model "$(MODEL)" --pretrained "$(PRETRAINED)" --data "$(DATA)"$(ACCEPT)

evaluate: $(DEV)/installed ## measure a model: DATA=cifar100.npz PHOTOS="folders" [MODEL=exported folder] [URL=function]
	$(DEV)/bin/python -m training.evaluate --model $(or $(MODEL),backend/clip/model) $(if $(DATA),--data "$(DATA)") $(if $(PHOTOS),--photos $(PHOTOS)) $(if $(URL),--url "$(URL)")

##@ Change it

test: $(DEV)/installed ## run every test of what is served; ARGS="-k page"
	@tests/install-browser $(DEV)/bin/playwright
	@tests/install-readers
	@# What others have slowed down is run once more, alone: many tests are of limits of time.
	$(DEV)/bin/python -m pytest --numprocesses 4 --dist loadfile --ignore tests/training $(ARGS) || { [ $$? = 1 ] && $(DEV)/bin/python -m pytest --last-failed --last-failed-no-failures none -n 0; }

test-training: $(DEV)/installed ## run the tests of how the bundled model is made
	$(DEV)/bin/python -m pytest --numprocesses 2 --dist loadfile tests/training

coverage: $(DEV)/installed ## run the same tests, and list what share of each file's lines they run, in all processes; ARGS as for test
	@rm -rf build/coverage && mkdir -p build/coverage
	@COVERAGE_PROCESS_START="$(CURDIR)/pyproject.toml" PYTHONPATH="$(CURDIR)/tests/measured" $(MAKE) --no-print-directory test \
	  || touch build/coverage/failed
	@$(DEV)/bin/coverage combine --quiet
	@$(DEV)/bin/coverage report
	@echo && echo "Below 90 %, with the lines that no test runs:"
	@$(DEV)/bin/coverage report --show-missing --sort=cover | awk '$$4 ~ /%$$/ && $$4 + 0 < 90 && $$1 != "TOTAL"'
	@[ ! -e build/coverage/failed ] || { echo "Some tests have failed." >&2; exit 1; }

lint: $(DEV)/installed $(NODE_MODULES) ## check style, types and workflows
	$(DEV)/bin/ruff check .
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/mypy .
	$(NPM) run --silent lint
	$(DEV)/bin/zizmor --quiet --offline --no-progress .github
	@if command -v actionlint >/dev/null; then actionlint; else \
	  echo "actionlint is not installed, zizmor alone has checked the workflows: pip install -r .github/requirements.txt"; fi

format: $(DEV)/installed $(NODE_MODULES) ## rewrite the sources in the project's style
	$(DEV)/bin/ruff check --fix .
	$(DEV)/bin/ruff format .
	$(NPM) run --silent format

fuzz: $(DEV)/installed ## throw broken files and requests at clip; MINUTES=10
	$(DEV)/bin/python -m tests.hardening.fuzz --minutes $(or $(MINUTES),10) --failures build/fuzz

soak: $(DEV)/installed ## send good traffic beside a little of every attack, and see that nothing is lost or kept; MINUTES=10, ARGS="--requests 100000"
	$(DEV)/bin/python -m tests.hardening.soak --minutes $(or $(MINUTES),10) $(ARGS)

corpora: $(DEV)/installed ## compare a folder of decoders' test files with what libvips, ImageMagick and others see: FOLDER=files
	@[ -n "$(FOLDER)" ] || { echo "Which folder? make corpora FOLDER=files" >&2; exit 2; }
	$(DEV)/bin/python -m tests.hardening.corpora "$(FOLDER)" $(ARGS)

screenshots: $(DEV)/installed ## photograph the page into docs/screenshots; FOLDER=new: all of its states there
	@tests/install-browser $(DEV)/bin/playwright
	$(DEV)/bin/python -m tests.frontend.screenshots $(FOLDER)

##@ Measure it

bench: $(DEV)/installed ## measure speed and memory beside the baselines; ARGS=--quick
	$(DEV)/bin/python -m benchmarks $(ARGS)

##@ Ship it

lock: $(DEV)/installed ## pin what the images install, what exports a model and what tests, with hashes
	$(LOCK) template/python3/requirements.txt frontend/index/requirements.txt -o frontend/index/requirements.lock
	$(LOCK) template/python3-debian/requirements.txt backend/clip/requirements.txt --excludes backend/clip/requirements-excluded.txt -o backend/clip/requirements.lock
	$(LOCK) backend/clip/requirements-export.txt --constraint backend/clip/requirements.lock --excludes backend/clip/requirements-export-excluded.txt \
	  --no-emit-package torch --no-emit-package torchvision -o backend/clip/requirements-export.lock
	$(LOCK) $(DEV_REQUIREMENTS) $(EXPORT_REQUIREMENTS) $(SERVE_REQUIREMENTS) --excludes backend/clip/requirements-export-excluded.txt \
	  $(addprefix --constraint ,$(LOCKS)) --no-emit-package torch --no-emit-package torchvision -o $(DEV_LOCK)
	@$(LOCK) --no-deps --default-index $(TORCH_INDEX) $(TORCH).txt -o $(TORCH).lock || echo "$(TORCH).lock is left as it was."

sbom: $(DEV)/installed ## write build/index.cdx.json and build/clip.cdx.json (CycloneDX)
	@mkdir -p build
	$(DEV)/bin/cyclonedx-py requirements --output-reproducible -o build/index.cdx.json frontend/index/requirements.lock
	$(DEV)/bin/cyclonedx-py requirements --output-reproducible -o build/clip.cdx.json backend/clip/requirements.lock

audit: $(DEV)/installed ## look for known vulnerabilities in what the images and the export install (asks PyPI)
	$(DEV)/bin/pip-audit --strict --disable-pip --require-hashes $(addprefix -r ,$(LOCKS))

functions: $(SERVE)/installed ## write deploy/functions/functions.yaml from stack.yml (OWNER=… TAG=…), for OpenFaaS Standard and for Enterprises
	@mkdir -p build
	$(SERVE)/bin/python -m release functions > build/functions.yaml.new && mv build/functions.yaml.new deploy/functions/functions.yaml

contexts: ## lay out build/index and build/clip as `faas-cli build` does
	@rm -rf build/index build/clip
	@mkdir -p build
	cp -RL template/python3 build/index && cp -RL frontend/index build/index/function
	cp -RL template/python3-debian build/clip && cp -RL backend/clip build/clip/function

images: contexts ## build both images, with the bundled model; DOCKER=podman, ARGS="--build-arg PYTHON_VERSION=3.11"
	$(DOCKER) build $(ARGS) --tag index:local build/index
	$(DOCKER) build $(ARGS) --build-arg MODEL=bundled --tag clip:local build/clip

smoke: $(SERVE)/installed ## run these images, post a photo, stop them under load
	DOCKER=$(DOCKER) $(SERVE)/bin/python -m tests.deploy.smoke index=index:local clip=clip:local

##@ Clean up

clean: ## remove the virtual environments and what was built
	rm -rf $(SERVE) $(EXPORT) $(DEV) frontend/node_modules build

# An environment is complete when its file `installed` is there. Changed requirements are installed into it.
define create
	@case "$(VERSION_OF_PYTHON)" in \
	  "") echo "$(PYTHON) is not installed. Python 3.11 or newer is needed (Debian: apt install python3 python3-venv)." >&2; exit 1 ;; \
	  2.*|3.[0-9]|3.10) echo "Python 3.11 or newer is needed, and $(PYTHON) is $(VERSION_OF_PYTHON). Name a newer one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1 ;; \
	esac
	@if [ -e $(1) ] && [ "$(VERSION_OF_PYTHON)" != "$(call version_of,$(1))" ]; then \
	  echo "$(1) is of Python $(call version_of,$(1)), and $(PYTHON) is $(VERSION_OF_PYTHON): it is made anew."; rm -rf $(1); fi
	@[ -x $(1)/bin/pip ] || $(PYTHON) -m venv $(1) || { rm -rf $(1); \
	  echo "Python's venv module is needed (Debian: apt install python3-venv)." >&2; exit 1; }
endef

# torch is installed first, from its own index alone, so that other packages find it installed.
define install_torch
	@if curl --head --fail --silent --output /dev/null --max-time 10 "$(TORCH_INDEX)/torch/"; then \
	  $(1)/bin/pip install --quiet --disable-pip-version-check --no-deps --index-url "$(TORCH_INDEX)" -r $(TORCH).lock; \
	else echo "$(TORCH_INDEX) does not answer: PyTorch comes from where pip is set up to look, on Linux with CUDA (5.6 GB)."; \
	  $(1)/bin/pip install --quiet --disable-pip-version-check -r $(TORCH).txt; fi
endef

$(SERVE)/installed: $(SERVE_REQUIREMENTS) $(call anew,$(SERVE))
	$(call create,$(SERVE))
	@echo "Installing what the functions need into $(SERVE) (0.4 GB, half a minute) ..."
	@$(SERVE)/bin/pip install --quiet --disable-pip-version-check $(addprefix -r ,$(SERVE_REQUIREMENTS))
	@touch $@

$(EXPORT)/installed: $(EXPORT_REQUIREMENTS) backend/clip/requirements.txt $(call anew,$(EXPORT))
	$(call create,$(EXPORT))
	@echo "Installing torch and open_clip into $(EXPORT) (minutes, gigabytes) ..."
	$(call install_torch,$(EXPORT))
	@$(EXPORT)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(DEV)/installed: $(DEV_LOCK) $(TORCH).lock $(call anew,$(DEV))
	$(call create,$(DEV))
	@echo "Installing everything into $(DEV), torch included (minutes, gigabytes) ..."
	$(call install_torch,$(DEV))
	@$(DEV)/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(DEV_LOCK)
	@touch $@

$(NODE_MODULES): frontend/package-lock.json $(DEV)/installed
	@$(NPM) ci --silent --no-audit --no-fund
	@touch $@
