# The two commands that matter: `make up` runs the application, `make test` passes the tests. `make help` lists all.

PYTHON ?= python3
PORT ?= 8080
# PyPI's torch for Linux brings gigabytes of CUDA; this index has it without. Where it cannot be reached PyPI serves.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

# Three environments: what serves, what exports a model (torch), and what tests (everything).
SERVE := .venv
EXPORT := .venv-export
DEV := .venv-dev

SERVE_REQUIREMENTS := $(wildcard template/*/requirements.txt) $(addsuffix /requirements.txt,frontend/index backend/clip local)
EXPORT_REQUIREMENTS := backend/clip/requirements-export.txt
DEV_REQUIREMENTS := $(addsuffix /requirements.txt,tests training benchmarks)

.PHONY: help up test lint format evaluate screenshots clean

help: ## list the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 22

ifdef MODEL
up: $(EXPORT)/installed
endif
up: $(SERVE)/installed ## run the application; PORT=8080, MODEL= and PRETRAINED= for another CLIP
ifdef MODEL
	@model=$$($(EXPORT)/bin/python -m local.model --model "$(MODEL)" --pretrained "$(PRETRAINED)" | tail -n 1) && [ -n "$$model" ] && \
	exec $(SERVE)/bin/python -m local --port $(PORT) --model "$$model"
else
	@exec $(SERVE)/bin/python -m local --port $(PORT)
endif

test: $(DEV)/installed ## run every test
	@tests/install-browser $(DEV)/bin/playwright
	$(DEV)/bin/python -m pytest $(ARGS)

lint: $(DEV)/installed ## check style and types
	$(DEV)/bin/ruff check .
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/mypy .

format: $(DEV)/installed ## rewrite the sources in the project's style
	$(DEV)/bin/ruff check --fix .
	$(DEV)/bin/ruff format .

evaluate: $(DEV)/installed ## measure a model: DATA=cifar100.npz PHOTOS=folder [MODEL=exported folder]
	$(DEV)/bin/python -m training.evaluate --model $(or $(MODEL),backend/clip/model) $(if $(DATA),--data "$(DATA)") $(if $(PHOTOS),--photos "$(PHOTOS)")

screenshots: $(DEV)/installed ## photograph the page into docs/screenshots
	@tests/install-browser $(DEV)/bin/playwright
	$(DEV)/bin/python -m tests.frontend.screenshots

clean: ## remove the virtual environments
	rm -rf $(SERVE) $(EXPORT) $(DEV)

# An environment is complete when its marker is there; changed requirements are installed into it.
define create
	@[ -x $(1)/bin/pip ] || $(PYTHON) -m venv $(1) || { rm -rf $(1); \
	  echo "Python 3.11 or newer with its venv module is needed (Debian: apt install python3-venv)." >&2; exit 1; }
endef

define torch_index
$$(curl --head --fail --silent --output /dev/null --max-time 10 "$(TORCH_INDEX)/torch/" && echo "--extra-index-url $(TORCH_INDEX)")
endef

$(SERVE)/installed: $(SERVE_REQUIREMENTS)
	$(call create,$(SERVE))
	@echo "Installing what the functions need into $(SERVE) ..."
	@$(SERVE)/bin/pip install --quiet --disable-pip-version-check $(addprefix -r ,$^)
	@touch $@

$(EXPORT)/installed: $(EXPORT_REQUIREMENTS) backend/clip/requirements.txt
	$(call create,$(EXPORT))
	@echo "Installing torch and open_clip into $(EXPORT) ..."
	@$(EXPORT)/bin/pip install --disable-pip-version-check $(torch_index) -r $<
	@touch $@

$(DEV)/installed: $(DEV_REQUIREMENTS) $(EXPORT_REQUIREMENTS) $(SERVE_REQUIREMENTS)
	$(call create,$(DEV))
	@echo "Installing everything into $(DEV), torch included ..."
	@$(DEV)/bin/pip install --quiet --disable-pip-version-check $(torch_index) $(addprefix -r ,$^)
	@touch $@
