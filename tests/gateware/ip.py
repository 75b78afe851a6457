"""Scripts for components that have registers."""

from dataclasses import dataclass, field

import numpy as np

from lutgen.registers.register_map import RegisterMap
from lutgen.sim import Design, build_simulation
from lutgen.sim.tool.runner import run


@dataclass
class Script:
    """Steps for `tests.gateware.bench_ip`; those with a key give a result."""

    registers: RegisterMap
    steps: list = field(default_factory=list)
    keys: dict = field(default_factory=dict)
    arrays: dict = field(default_factory=dict)

    def step(self, operation: str, *arguments, key: str | None = None) -> None:
        if key is not None:
            assert key not in self.keys
            self.keys[key] = len(self.steps)
        self.steps.append([operation, *arguments])

    def write(self, register: str, value: int, key: str | None = None) -> None:
        address = self.registers[register].offset
        self.step("write", address, list(value.to_bytes(4, "little")), key=key)

    def control(self, **bits: int) -> None:
        """Write CONTROL by fields; those that are not named become 0."""
        fields = self.registers["control"]
        self.write("control", sum(value << fields[name].low for name, value in bits.items()))

    def read(self, *registers: str, key: str = "") -> None:
        """Read registers; their results are called ``key`` and the register's name."""
        for register in registers:
            self.step("read", self.registers[register].offset, key=f"{key}{register}")

    def until(self, register: str, **bits: int) -> None:
        fields = self.registers[register]
        mask = sum(fields[name].mask for name in bits)
        value = sum(bit << fields[name].low for name, bit in bits.items())
        self.step("until", fields.offset, mask, value)

    def send(self, beats: dict) -> None:
        """Offer beats of a stream; TLAST is where they say, and at their end."""
        name = f"beats{len(self.arrays)}"
        self.arrays[name] = np.asarray(beats["data"])
        if "user" in beats:
            self.arrays[f"{name}_user"] = np.asarray(beats["user"])
        ends = (np.flatnonzero(beats["last"]) + 1).tolist()
        self.step("send", name, list(dict.fromkeys([*ends, len(beats["data"])])))

    def send_files(self, *files: bytes) -> None:
        for file in files:
            last = np.zeros(len(file), int)
            last[-1] = 1
            self.send({"data": np.frombuffer(file, np.uint8), "last": last})

    def run(self, design: Design, *, limit: int = 60_000) -> dict:
        """Results by key; no step may take more than ``limit`` clocks."""
        _, result = run(
            build_simulation(design), "tests.gateware.bench_ip", self.arrays,
            {"script": self.steps, "limit": limit},
        )  # fmt: skip
        return {key: result["results"][at] for key, at in self.keys.items()}


def words(results: dict, *registers: str, key: str = "") -> list[int]:
    """Values of registers that were read, all with the response OKAY."""
    found = [results[f"{key}{register}"] for register in registers]
    assert [response for _, response in found] == [0] * len(found)
    return [value for value, _ in found]


def packet_bytes(packets: list) -> list[bytes]:
    return [bytes(data) for data, _ in packets]


def packet_frames(packets: list) -> list[np.ndarray]:
    """Frames of lines; a line that was cut short is left out."""
    frames, lines = [], []
    for data, user in packets:
        start = max((k for k, u in enumerate(user) if u), default=None)
        if start is not None:
            frames.append(lines := [])
            data = data[start:]
        lines.append(data)
    return [np.array(frame, dtype=np.uint8) for frame in frames]
