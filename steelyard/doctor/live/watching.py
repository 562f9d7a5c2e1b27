"""The doctor beside a run: it looks at every tenth step, says what is wrong while it happens, and changes nothing."""

import re
import sys
import warnings
import weakref
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from steelyard.doctor.finding import Finding
from steelyard.doctor.live import judging
from steelyard.doctor.live.activations import Activations, Looks
from steelyard.doctor.live.health import Health
from steelyard.doctor.live.judging import Seen
from steelyard.doctor.live.lightning import LightningHooks
from steelyard.doctor.live.logits import Logits
from steelyard.doctor.live.optimizers import Watched
from steelyard.doctor.live.record import Record
from steelyard.doctor.live.rules import FEW, SAMPLES, STEPS, finding
from steelyard.doctor.live.text import table
from steelyard.doctor.live.tracing import Memory, Origin, gradient_origin, origin
from steelyard.doctor.live.weights import Weights, gradient_norms, part, together

EVERY = 10  # steps between two looks
HERE = str(Path(__file__).parents[2])


class DoctorWarning(UserWarning):
    """A finding of the doctor's, said while the run goes on."""


def warn(found: Finding) -> None:
    """Say a finding as a Python warning at the line that called the doctor; tips are kept for the end."""
    if found.severity == "tip":
        return
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(HERE):
        frame, level = frame.f_back, level + 1
    text = (
        f"{found.code} {found.title}: {found.saw}. That means {found.means}. {found.treat[0].upper()}{found.treat[1:]}."
    )
    warnings.warn(DoctorWarning(text), stacklevel=level)


class Doctor(LightningHooks):
    """Watches a model while it is trained; call `step(loss)` after every optimizer step, `epoch(dev_loss)` if you like.

    As a callback of Lightning's Trainer it needs no model: `Trainer(callbacks=[Doctor()])`. Findings are given to
    `on_finding` once each, which warns unless it is another function; `ignore` holds codes, or their beginnings, to
    leave out. Optimizers of torch are found when they make a step; one that is given is checked to hold parameters
    of the model. Every `every`-th step is looked at.
    """

    def __init__(
        self,
        model: nn.Module | None = None,
        optimizer: torch.optim.Optimizer | Iterable[torch.optim.Optimizer] | None = None,
        *,
        every: int = EVERY,
        ignore: Collection[str] = (),
        on_finding: Callable[[Finding], None] = warn,
    ) -> None:
        if every < 1:
            raise ValueError(f"every must be 1 or more, got {every}")
        self.every, self.ignore, self.on_finding = every, tuple(ignore), on_finding
        self.record = Record(every)
        self.model: nn.Module | None = None
        self._findings: dict[tuple[str, str], Finding] = {}
        self._watched: dict[torch.optim.Optimizer, Watched | None] = {}
        self._pending: list[Tensor] = []
        self._traced: tuple[int, Origin | None, str] | None = None
        self._next = STEPS
        self._over: Callable[[], Any] = lambda: None
        if model is not None:
            given = [optimizer] if isinstance(optimizer, torch.optim.Optimizer) else list(optimizer or ())
            self.attach(model, given)

    def attach(self, model: nn.Module, optimizers: Iterable[torch.optim.Optimizer] = ()) -> "Doctor":
        """Watch a model from now on."""
        if self.model is not None:
            raise RuntimeError("this doctor watches a model already: make another one, or close it first")
        compiled = hasattr(model, "_orig_mod")
        model = getattr(model, "_orig_mod", model)
        self.model, self._weights = model, Weights(model)
        self._activations, self._logits = Activations(model), Logits()
        self._activations.able = self._activations.able and not compiled
        own_loop = hasattr(model, "training_step")  # a module of Lightning's, whose forward need not be called
        self._memory = Memory([model, *(model.children() if own_loop else ())])
        for name, parameters in self._weights.layers.items():
            self.record.kinds[name] = self._weights.kinds[name]
            self.record.sizes[name] = sum(p.numel() for p in parameters)
            self.record.wide[name] = any(p.dim() > 1 for p in parameters)
        self._print = self._fingerprint()
        me = weakref.ref(self)

        def before(optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
            if (doctor := me()) is not None:
                doctor._before(optimizer, _closure(args, kwargs))

        def after(optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
            if (doctor := me()) is not None:
                doctor._after(optimizer, _closure(args, kwargs))

        handles = [register_optimizer_step_pre_hook(before), register_optimizer_step_post_hook(after)]
        self._over = weakref.finalize(self, _let_go, handles, self._activations, self._memory, self._watched)
        self._activations.on()
        for optimizer in optimizers:
            if self._of(optimizer) is None:
                text = f"{type(optimizer).__name__} holds no parameter of the model that can be trained"
                self._raise([Seen("SY408", text, "", {"optimizer": type(optimizer).__name__})])
        return self

    # -- what the loop calls ------------------------------------------------------------------------------------

    def step(self, loss: Tensor | float | None = None) -> None:
        """A step is done; `loss` is that of its batch, as the loop has it."""
        if self.model is None:
            raise RuntimeError("the doctor watches no model: give it one, Doctor(model), before the first step")
        self.record.steps += 1
        if loss is not None:
            if isinstance(loss, Tensor) and (loss.is_cuda or loss.dim()):
                self._pending.append(loss.detach())  # read later: reading makes the program wait for the device
            else:
                self.record.losses.add(loss.item() if isinstance(loss, Tensor) else float(loss))
        if self._activations.looks.stats:
            self._collect(loss if isinstance(loss, Tensor) else None)
        elif self._activations.handle is not None:
            self._activations.missed()
        self._not_finite()
        self._memory.calls.clear()
        if self.record.steps % self.every == 0:
            self._look()

    __call__ = step

    def epoch(self, dev_loss: Tensor | float | None = None) -> None:
        """An epoch is over; the loss on dev, if it was measured."""
        if self.model is None:
            raise RuntimeError("the doctor watches no model: give it one, Doctor(model), before the first epoch")
        if dev_loss is not None:
            loss = dev_loss.detach() if isinstance(dev_loss, Tensor) else dev_loss
            self.record.dev.append((self.record.steps, float(loss)))
        self._flush()
        self._unmoved()

    def close(self, broke_off: bool = False) -> None:
        """Take all hooks away and judge the run as a whole, unless it broke off. What was seen can still be read."""
        if self.model is None:
            return
        self._flush()
        self._not_finite()
        self._unmoved()
        self._judge()
        if not broke_off and len(self._known) < 2 and self.record.losses.broke is None:
            self._raise(judging.ending(self.record))
        self._over()
        self.model = None

    def __enter__(self) -> "Doctor":
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.close(broke_off=kind is not None)

    # -- what can be read ---------------------------------------------------------------------------------------

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found so far, in that order."""
        return tuple(self._findings.values())

    @property
    def health(self) -> Health:
        """The run so far, as a record that goes to JSON."""
        self._flush()
        return self.record.health(self.findings)

    def table(self) -> str:
        """A line per layer, and the findings, as text."""
        return table(self.health)

    # -- around a step ------------------------------------------------------------------------------------------

    def _of(self, optimizer: torch.optim.Optimizer) -> Watched | None:
        if optimizer not in self._watched:
            mine = self._weights.held_by(optimizer)
            self._watched[optimizer] = Watched(optimizer, mine, resumed=bool(optimizer.state)) if mine else None
        return self._watched[optimizer]

    def _before(self, optimizer: torch.optim.Optimizer, closure: bool) -> None:
        watched = self._of(optimizer)
        if watched is None:
            return
        if not closure:
            watched.choose()
            self._trace(watched)
        if watched.due:
            watched.parameters = self._weights.held_by(optimizer)
            self.record.resumed = self.record.resumed or watched.resumed
            self.record.rate.add(self.record.steps + 1, watched.rate)
            with torch.no_grad():
                if not closure:
                    watched.norms = gradient_norms(watched.parameters)
                    self._compare(watched)
                self._weights.start(watched.parameters)

    def _after(self, optimizer: torch.optim.Optimizer, closure: bool) -> None:
        watched = self._of(optimizer)
        if watched is None:
            return
        looked, changed = watched.due and bool(self._weights.mine), True
        if looked:
            with torch.no_grad():
                if closure:
                    watched.norms = gradient_norms(watched.parameters)
                    self._compare(watched)
                changed = self.record.take_moves(self.record.steps + 1, self._weights.end(watched.norms or {}))
        if closure:
            watched.choose()
        watched.done(looked, changed)

    def on_before_optimizer_step(self, _: Any, __: Any, optimizer: torch.optim.Optimizer) -> None:
        """Lightning's: the backward pass is over, inside a closure."""
        watched = self._of(getattr(optimizer, "optimizer", optimizer))
        if watched is not None:
            self._trace(watched)

    def _compare(self, watched: Watched) -> None:
        if not self._activations.half:  # with scaled losses the two norms differ by the scale
            watched.compare()

    def _trace(self, watched: Watched) -> None:
        """At the first gradient that is not finite: where did it arise? The weights are as they were in the pass."""
        if self._traced is None and self.model is not None and watched.broken:
            found = origin(self.model, self._memory.calls)
            self._traced = self.record.steps + 1, found, gradient_origin(self.model)

    # -- looking ------------------------------------------------------------------------------------------------

    def _collect(self, loss: Tensor | None) -> None:
        step, held = self.record.steps, self._activations
        with torch.no_grad():
            self.record.take_looks(step, held.looks, held.kinds)
            predicted = self._logits.look(held.looks.last, loss)
        if predicted is not None:
            self.record.predicted.append(predicted)
        held.off()
        held.looks = Looks()

    def _look(self) -> None:
        """What the last step was looked at for; the next one is looked at again."""
        self._flush()
        self._judge()
        if self.record.steps >= 2 * STEPS:
            self._unmoved()
        for each in self._known:
            each.look()
        self._activations.on()

    @property
    def _known(self) -> list[Watched]:
        return [each for each in self._watched.values() if each is not None]

    def _judge(self) -> None:
        if self.record.broken:
            return
        if self.record.steps // self.every % SAMPLES == 0 or self.record.steps % self.every:  # or it is closed
            self._raise(judging.layers(self.record))
        self._raise(judging.optimizers(self.record, self._known, self._weights.layer_of))
        if self.record.losses.count >= self._next:
            self._next = self.record.losses.count + max(STEPS, self.record.losses.count // 20)
            if len(self._known) < 2:  # with two, as of a GAN, a loss that rises can be as it should
                self._raise(judging.course(self.record, self._logits.classes))

    def _flush(self) -> None:
        if self._pending:
            for each in together([each.float().mean() for each in self._pending]):
                self.record.losses.add(each)
            self._pending = []

    def _not_finite(self) -> None:
        """Say where a NaN or Inf came from, once."""
        if not self.record.broken and self._traced is None:
            return
        if self._traced is None and self.model is not None and self._memory.calls:
            finite = all(bool(torch.isfinite(p).all()) for p in self.model.parameters())
            self._traced = self.record.steps, origin(self.model, self._memory.calls) if finite else None, ""
        self._raise(judging.not_finite(self.record, *(self._traced or (0, None, ""))))

    def _fingerprint(self) -> list[float]:
        with torch.no_grad():
            return together([part(p).sum() for p in self._weights.layer_of])

    def _unmoved(self) -> None:
        """No optimizer made a step, and the weights are what they were."""
        stepped = any(self.record.changes.values())
        if stepped or self.record.steps < FEW or self._fingerprint() != self._print:
            return
        text = f"in {self.record.steps} steps no optimizer changed the weights of the model"
        self._raise([Seen("SY408", text, "", {"steps": self.record.steps})])

    def _raise(self, seen: Iterable[Seen]) -> None:
        for each in seen:
            key = each.code, each.layer
            if key in self._findings or each.code.startswith(self.ignore or ("-",)):
                continue
            evidence = {"step": self.record.steps} | ({"layer": each.layer} if each.layer else {}) | each.evidence
            made = finding(
                each.code,
                each.text if re.search(r"step \d", each.text) else f"{each.text} (step {self.record.steps})",
                evidence,
                each.severity,
            )
            self._findings[key] = made
            self.on_finding(made)


def _closure(args: Any, kwargs: Any) -> bool:
    """Whether an optimizer's step was given a closure, which computes the gradients within the step."""
    return (args[1] if len(args) > 1 else kwargs.get("closure")) is not None


def _let_go(handles: list[Any], activations: Activations, memory: Memory, watched: dict[Any, Watched | None]) -> None:
    for handle in handles:
        handle.remove()
    activations.off()
    memory.close()
    for each in watched.values():
        if each is not None:
            each.close()
