"""Graphs for programs that draw or study them: GraphML, GEXF (Gephi) and DOT (Graphviz), from a table of links.

Nodes are numbered and carry their name; a node that is only pointed to and not there says so; edges carry their kind
and how often they are there. There are no clock times inside: the same links give the same bytes.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from transpose.core.context import Context
from transpose.core.transform import transform
from transpose.media.document import UNWRITABLE
from transpose.media.graph import Graph, read_graph
from transpose.media.table import Table

GRAPHML = "http://graphml.graphdrawing.org/xmlns"
GEXF = "http://gexf.net/1.3"
LOSSES = ["detail", "metadata"]


@transform("table.links -> .graphml", loses=LOSSES, needs=["pyarrow"], extra="tables")
def write_graphml(table: Table, path: Path, ctx: Context) -> None:
    """Write links as GraphML. Raises InputError where the table has no sources and targets."""
    graph = read_graph(table)
    root = Element("graphml", {"xmlns": GRAPHML})
    if ctx.history:
        SubElement(root, "desc").text = _clean(ctx.history)
    keys = (
        ("name", "node", "string"),
        ("found", "node", "boolean"),
        ("kind", "edge", "string"),
        ("times", "edge", "double"),
    )
    for name, what, kind in keys:
        SubElement(root, "key", {"id": name, "for": what, "attr.name": name, "attr.type": kind})
    inside = SubElement(root, "graph", {"edgedefault": "directed"})
    for number, name in enumerate(graph.nodes):
        node = SubElement(inside, "node", {"id": f"n{number}"})
        SubElement(node, "data", {"key": "name"}).text = _clean(name)
        SubElement(node, "data", {"key": "found"}).text = "false" if number in graph.missing else "true"
    for edge in graph.edges:
        made = SubElement(inside, "edge", {"source": f"n{edge.source}", "target": f"n{edge.target}"})
        if edge.kind:
            SubElement(made, "data", {"key": "kind"}).text = _clean(edge.kind)
        SubElement(made, "data", {"key": "times"}).text = f"{edge.times:g}"
    _write(root, path)


@transform("table.links -> .gexf", loses=LOSSES, needs=["pyarrow"], extra="tables")
def write_gexf(table: Table, path: Path, ctx: Context) -> None:
    """Write links as GEXF 1.3. Raises InputError where the table has no sources and targets."""
    graph = read_graph(table)
    root = Element("gexf", {"xmlns": GEXF, "version": "1.3"})
    meta = SubElement(root, "meta")
    SubElement(meta, "creator").text = "Transpose"
    if ctx.history:
        SubElement(meta, "description").text = _clean(ctx.history)
    inside = SubElement(root, "graph", {"defaultedgetype": "directed"})
    said = SubElement(inside, "attributes", {"class": "node"})
    SubElement(said, "attribute", {"id": "0", "title": "found", "type": "boolean"})
    nodes = SubElement(inside, "nodes")
    for number, name in enumerate(graph.nodes):
        node = SubElement(nodes, "node", {"id": str(number), "label": _clean(name)})
        values = SubElement(node, "attvalues")
        SubElement(values, "attvalue", {"for": "0", "value": "false" if number in graph.missing else "true"})
    edges = SubElement(inside, "edges")
    for number, edge in enumerate(graph.edges):
        fields = {
            "id": str(number),
            "source": str(edge.source),
            "target": str(edge.target),
            "weight": f"{edge.times:g}",
        }
        SubElement(
            edges, "edge", fields | ({"kind": _clean(edge.kind), "label": _clean(edge.kind)} if edge.kind else {})
        )
    _write(root, path)


@transform("table.links -> .dot|.gv", loses=LOSSES, needs=["pyarrow"], extra="tables")
def write_dot(table: Table, path: Path, ctx: Context) -> None:
    """Write links for Graphviz. Raises InputError where the table has no sources and targets."""
    graph = read_graph(table)
    history = [f"// {_one_line(ctx.history)}"] if ctx.history else []
    lines = ["digraph links {", "  node [shape=box, style=rounded];", *_nodes(graph), *_edges(graph), "}"]
    path.write_bytes(("\n".join([*history, *lines]) + "\n").encode("utf-8", "replace"))


def _nodes(graph: Graph) -> list[str]:
    return [
        f'  n{number} [label="{_quoted(name)}"{", style=dashed" if number in graph.missing else ""}];'
        for number, name in enumerate(graph.nodes)
    ]


def _edges(graph: Graph) -> list[str]:
    made = []
    for edge in graph.edges:
        fields = [f'class="{_quoted(edge.kind)}"'] if edge.kind else []
        fields += [f"weight={max(1, round(edge.times))}"] if edge.times != 1 else []
        said = f" [{', '.join(fields)}]" if fields else ""
        made.append(f"  n{edge.source} -> n{edge.target}{said};")
    return made


def _quoted(words: str) -> str:
    """Words inside the quotes of DOT."""
    return _one_line(words).replace("\\", "\\\\").replace('"', '\\"')


def _one_line(words: str) -> str:
    return re.sub(r"\s+", " ", UNWRITABLE.sub("\ufffd", words))


def _clean(words: str) -> str:
    return UNWRITABLE.sub("\ufffd", words)


def _write(root: Element, path: Path) -> None:
    indent(root)
    with path.open("wb") as file:
        ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)
        file.write(b"\n")
