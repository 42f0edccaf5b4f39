"""A graph while it is built, whatever its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from .attributes import Attributes
from .graph import BoundOperator, Graph, Operator, Tensor
from .operator_rules import broken_rules
from .shapes import infer_output_shape

__all__ = ["GraphAssembly", "Value"]


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor of a graph that is being built: what an operator takes and gives."""

    index: int
    tensor: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """Its dimensions; of an image (batch, height, width, channels)."""
        return self.tensor.shape


class GraphAssembly:
    """Tensors and operators so far; every operator is checked by the host's rules as it is added."""

    def __init__(self, name: str) -> None:
        """`name` stands where a model file's name would."""
        self._name = name
        self._tensors: list[Tensor] = []
        self._operators: list[Operator] = []
        self._inputs: list[int] = []

    @property
    def next_constant(self) -> str:
        """A name for a constant, not used yet."""
        return f"constant{len(self._tensors)}"

    @property
    def next_input(self) -> str:
        """A name for an input of the network."""
        return f"input{len(self._inputs)}"

    def add(self, tensor: Tensor) -> Value:
        """A tensor that no operator computes."""
        self._tensors.append(tensor)
        return Value(len(self._tensors) - 1, tensor)

    def add_input(self, tensor: Tensor) -> Value:
        """An input of the network."""
        value = self.add(tensor)
        self._inputs.append(value.index)
        return value

    def add_operator(
        self, kind: str, operands: Sequence[Value], attributes: Attributes, numbers: Tensor
    ) -> Value:
        """An operator whose ofm has the shape that the inputs give, and everything else of `numbers`.

        The shape of `numbers` is what RESHAPE asks for.

        Raises:
            ValueError: an operand is of another graph, or a rule is broken; the message names the operator.
        """
        index = len(self._operators)
        name = f"{kind} #{index}"
        if any(self._tensors[value.index : value.index + 1] != [value.tensor] for value in operands):
            raise ValueError(f"{name}: its inputs must be values of this builder")
        inputs = tuple(value.tensor for value in operands)

        def ofm(shape: tuple[int, ...]) -> Tensor:
            return Tensor(name, shape, numbers.dtype, numbers.quantization, fixed_point=numbers.fixed_point)

        try:
            requested = BoundOperator(kind, index, attributes, inputs, (ofm(numbers.shape),))
            inferred = infer_output_shape(requested)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        reasons = broken_rules(BoundOperator(kind, index, attributes, inputs, (ofm(inferred),)))
        if reasons:
            raise ValueError(f"{name}: {'; '.join(reasons)}")
        result = self.add(ofm(inferred))
        places = tuple(value.index for value in operands)
        self._operators.append(Operator(kind, index, places, (result.index,), attributes))
        return result

    def build(self, outputs: Sequence[Value]) -> Graph:
        """The network, whose inputs are in the order in which they were added.

        Raises:
            ValueError: there is no output.
        """
        return Graph(
            name=self._name,
            file=self._name,
            tensors=tuple(self._tensors),
            operators=tuple(self._operators),
            inputs=tuple(self._inputs),
            outputs=tuple(value.index for value in outputs),
        )
