"""The measurement adds up what it says it adds up."""

from __future__ import annotations

import json

import pytest
import torch

from retarget.flow.report import Report
from retarget.generate.diffusion.bench import PUBLISHED_STEPS, Bench, bench
from retarget.generate.diffusion.measure import PeakMemory, cost
from retarget.generate.diffusion.settings import DiffusionSettings


@pytest.fixture(scope="module")
def measured() -> Bench:
    seen: list[tuple[int, int]] = []
    settings = DiffusionSettings(device="cpu", quality="best")
    told = bench(settings, small=True, progress=lambda *at: seen.append(at))
    assert [done for done, _ in seen] == list(range(1, seen[-1][1] + 1))
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
    from retarget.generate.diffusion import bench as module

    monkeypatch.setattr(module, "bench", lambda _, **__: measured)
    report = Report()
    lines = module.bench_table(report).splitlines()
    assert [line.split()[0] for line in lines[1:5]] == ["published,", "draft", "standard", "best"]
    assert report.facts["bench"]["utilisation"] == measured.utilisation > 0


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
