"""The order of a tree's top leaves."""

from lutgen.training.tree.tree import Tree

__all__ = ["top_order"]


def top_order(tree: Tree) -> list[int]:
    """Nodes of the top leaves in the order of their index."""
    order, todo = [], [0]
    while todo:
        node = todo.pop()
        if tree.top[node]:
            todo.extend((int(tree.child[node, 1]), int(tree.child[node, 0])))
        else:
            order.append(node)
    return order
