"""The measurement adds up what it says it adds up."""

from __future__ import annotations

import json

import pytest
import torch

from retarget.flow.report import Report
from retarget.generate.diffusion import bench as bench_module
from retarget.generate.diffusion import bench_parts, sweep
from retarget.generate.diffusion.bench import PUBLISHED_STEPS, Bench, bench
from retarget.generate.diffusion.graphs import Graphs
from retarget.generate.diffusion.measure import PeakMemory, cost
from retarget.generate.diffusion.settings import DiffusionSettings

from .tape import Recordings


@pytest.fixture(scope="module")
def measured() -> Bench:
    """Parts and whole frames, these recorded as on a CUDA device."""
    tapes, seen = Recordings(), []
    settings = DiffusionSettings(device="cpu", precision="full")
    with pytest.MonkeyPatch.context() as patch:
        for module in (sweep, bench_module):
            patch.setattr(module, "STEPS", (2, 1))
            patch.setattr(module, "BATCHES", (1, 2))
        patch.setattr(bench_parts, "_LARGE", 256)
        patch.setattr(sweep, "_FEW", 1)
        patch.setattr(sweep, "choose_graphs", lambda *_: True)
        patch.setattr(sweep, "Graphs", lambda tell: Graphs(tell, tapes))
        told = bench(settings, small=True, sweeping=True, progress=lambda *at: seen.append(at))
    assert [done for done, _ in seen] == list(range(1, seen[-1][1] + 1))
    assert tapes.made == 2 * 2 + 2  # each kind of frame and each pass, once
    return told


def test_a_frame_is_the_sum_of_its_parts(measured: Bench) -> None:
    parts = measured.parts
    published = PUBLISHED_STEPS * parts.published_step.flops + parts.published_reference.flops
    published += parts.encode.flops + parts.decode.flops
    assert measured.published.tera_flops * 1e12 == pytest.approx(published)
    standard = 3 * parts.step.flops + parts.tiny_encode.flops + parts.tiny_decode.flops
    assert measured.qualities["standard"].tera_flops * 1e12 == pytest.approx(standard)


def test_keeping_keys_and_values_and_leaving_guidance_out_save_work(measured: Bench) -> None:
    parts = measured.parts
    assert parts.step.flops < parts.guided_step.flops < parts.published_step.flops
    ordered = [measured.qualities[name].tera_flops for name in ("draft", "standard", "best")]
    assert ordered == sorted(ordered) and ordered[-1] < measured.published.tera_flops


def test_the_outcome_is_plain_values(measured: Bench) -> None:
    told = json.loads(json.dumps(measured.as_dict()))
    assert told["qualities"]["draft"]["frames_per_second"] > 0
    assert told["precision"] == "float32"


def test_the_table_has_a_row_for_each_flow(
    measured: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_module, "bench", lambda _, **__: measured)
    report = Report()
    lines = bench_module.bench_table(report, DiffusionSettings()).splitlines()
    assert [line.split()[0] for line in lines[1:5]] == ["published,", "draft", "standard", "best"]
    assert report.facts["bench"]["utilisation"] == measured.utilisation > 0


def test_whole_frames_are_drawn_at_every_number_of_steps_and_batch_size(measured: Bench) -> None:
    drawn = measured.sweep.drawn
    assert [(d.steps, d.batch, d.guided) for d in drawn] == [
        (2, 1, True), (2, 2, True), (1, 1, False), (1, 2, False),
    ]  # fmt: skip
    for one in drawn:
        assert one.frames_per_second == pytest.approx(one.batch / one.seconds)
        assert one.steps_per_second == pytest.approx(one.batch * one.steps / one.seconds)
    assert drawn[1].peak_bytes > drawn[0].peak_bytes > 0
    assert drawn[0].seconds > drawn[2].seconds
    told = json.loads(json.dumps(measured.as_dict()))
    assert told["sweep"]["drawn"][0]["frames_per_second"] == drawn[0].frames_per_second


def test_a_pass_is_told_apart_by_kinds_of_work(measured: Bench) -> None:
    for one in measured.sweep.passes:
        assert one.recorded_seconds > 0 and one.plain_seconds > 0
        kinds = ("convolutions", "attention", "matrix products", "norms", "copies")
        assert all(one.by_kind[kind] > 0 for kind in kinds)
    square = torch.ones(600, 600)
    by_kind = sweep.where_time_goes(lambda: square @ square, torch.device("cpu"))
    assert max(by_kind, key=by_kind.__getitem__) == "matrix products"
    pixels, window = torch.ones(1, 16, 128, 128), torch.ones(16, 16, 3, 3)
    convolve = torch.nn.functional.conv2d
    by_kind = sweep.where_time_goes(lambda: convolve(pixels, window), torch.device("cpu"))
    assert max(by_kind, key=by_kind.__getitem__) == "convolutions"


def test_the_sweep_is_told_in_two_tables(measured: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_module, "bench", lambda *_, **__: measured)
    monkeypatch.setattr(sweep, "_FEW", 1)
    lines = bench_module.bench_table(Report(), DiffusionSettings(), sweeping=True).splitlines()
    (start,) = [n for n, line in enumerate(lines) if line.startswith("steps ")]
    rows = [line.split() for line in lines[start + 1 : start + 5]]
    assert [row[:3] for row in rows] == [
        ["2", "1", "yes"], ["2", "2", "yes"], ["1", "1", "no"], ["1", "2", "no"],
    ]  # fmt: skip
    parts = measured.parts
    flops = 2 * parts.guided_step.flops + parts.encode.flops + parts.decode.flops
    rate = flops * measured.sweep.drawn[0].frames_per_second
    assert float(rows[0][5]) == pytest.approx(rate / 1e12, rel=0.01)
    assert any(line.startswith("by the clock, recorded") for line in lines)


def test_memory_counts_what_is_alive_and_no_more() -> None:
    with PeakMemory() as memory:
        for _ in range(5):
            torch.ones(1000)  # gone at once
        kept = torch.ones(500)
        view = kept[:10] + 0
    assert memory.peak == 4 * 1000
    with PeakMemory() as memory:
        both = torch.ones(1000), torch.ones(1000)
    assert memory.peak == 4 * 2000 and len(both) + len(view) == 12


def test_work_is_counted_in_multiplications_and_additions() -> None:
    a, b = torch.ones(8, 16), torch.ones(16, 4)
    assert cost(lambda: a @ b, torch.device("cpu")).flops == 2 * 8 * 16 * 4


@pytest.mark.parametrize(("seen", "width"), [(64, 40), (200, 8)])
def test_the_work_of_attention_is_counted(seen: int, width: int) -> None:
    """Every query meets every key and then every value: twice a multiplication and an addition."""
    query, key = torch.ones(2, 8, 64, width), torch.ones(2, 8, seen, width)
    attend = torch.nn.functional.scaled_dot_product_attention
    told = cost(lambda: attend(query, key, key), torch.device("cpu"))
    assert told.flops == 2 * 2 * (2 * 8 * 64 * seen * width)
