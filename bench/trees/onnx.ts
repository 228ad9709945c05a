/** The same model as an ONNX file (operator TreeEnsembleRegressor of ai.onnx.ml 3), written field by field as protobuf. */
import type { Ensemble } from "@risk/tree-kernel";

/** Field numbers of onnx.proto. */
const MODEL = { irVersion: 1, graph: 7, opsetImport: 8 };
const GRAPH = { node: 1, name: 2, input: 11, output: 12 };
const NODE = { input: 1, output: 2, opType: 4, attribute: 5, domain: 7 };
const ATTRIBUTE = { name: 1, int: 3, floats: 7, ints: 8, strings: 9, type: 20 };
const TYPES = { int: 2, floats: 6, ints: 7, strings: 8 };
const FLOAT = 1;

export function onnxModel(ensemble: Ensemble): Uint8Array {
  const ids: number[][] = [[], [], [], [], [], []];
  const [treeIds, nodeIds, features, lefts, rights, missing] = ids as [
    number[],
    number[],
    number[],
    number[],
    number[],
    number[],
  ];
  const values: number[] = [];
  const modes: string[] = [];
  const targets: { trees: number[]; nodes: number[]; weights: number[] } = { trees: [], nodes: [], weights: [] };
  for (const [id, tree] of ensemble.trees.entries()) {
    for (let node = 0; node < tree.left.length; node++) {
      const isLeaf = tree.left[node]! < 0;
      treeIds.push(id);
      nodeIds.push(node);
      features.push(tree.feature[node]!);
      lefts.push(isLeaf ? 0 : tree.left[node]!);
      rights.push(isLeaf ? 0 : tree.right[node]!);
      missing.push(isLeaf ? 0 : tree.defaultLeft[node]!);
      values.push(isLeaf ? 0 : tree.value[node]!);
      modes.push(isLeaf ? "LEAF" : "BRANCH_LT");
      if (!isLeaf) continue;
      targets.trees.push(id);
      targets.nodes.push(node);
      targets.weights.push(tree.value[node]!);
    }
  }
  const node = message(
    text(NODE.input, "rows"),
    text(NODE.output, "margins"),
    text(NODE.opType, "TreeEnsembleRegressor"),
    text(NODE.domain, "ai.onnx.ml"),
    ints("nodes_treeids", treeIds),
    ints("nodes_nodeids", nodeIds),
    ints("nodes_featureids", features),
    ints("nodes_truenodeids", lefts),
    ints("nodes_falsenodeids", rights),
    ints("nodes_missing_value_tracks_true", missing),
    floats("nodes_values", values),
    strings("nodes_modes", modes),
    ints("target_treeids", targets.trees),
    ints("target_nodeids", targets.nodes),
    ints(
      "target_ids",
      targets.trees.map(() => 0),
    ),
    floats("target_weights", targets.weights),
    floats("base_values", [...ensemble.baseMargins]),
    attribute("n_targets", TYPES.int, varintField(ATTRIBUTE.int, 1)),
  );
  const graph = message(
    field(GRAPH.node, node),
    text(GRAPH.name, "trees"),
    field(GRAPH.input, tensor("rows", ensemble.features.length)),
    field(GRAPH.output, tensor("margins", 1)),
  );
  const opset = (domain: string, version: number) => field(MODEL.opsetImport, message(text(1, domain), varintField(2, version)));
  return message(varintField(MODEL.irVersion, 8), field(MODEL.graph, graph), opset("", 15), opset("ai.onnx.ml", 3));
}

/** ValueInfoProto of a float tensor with any number of rows. */
function tensor(name: string, columns: number): Uint8Array {
  const dimensions = message(field(1, text(2, "n")), field(1, varintField(1, columns)));
  return message(text(1, name), field(2, field(1, message(varintField(1, FLOAT), field(2, dimensions)))));
}

function attribute(name: string, type: number, content: Uint8Array): Uint8Array {
  return field(NODE.attribute, message(text(ATTRIBUTE.name, name), varintField(ATTRIBUTE.type, type), content));
}

function ints(name: string, values: readonly number[]): Uint8Array {
  return attribute(name, TYPES.ints, field(ATTRIBUTE.ints, Uint8Array.from(values.flatMap(varint))));
}

function floats(name: string, values: readonly number[]): Uint8Array {
  return attribute(name, TYPES.floats, field(ATTRIBUTE.floats, new Uint8Array(Float32Array.from(values).buffer)));
}

function strings(name: string, values: readonly string[]): Uint8Array {
  return attribute(name, TYPES.strings, Buffer.concat(values.map((value) => text(ATTRIBUTE.strings, value))));
}

function message(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

function field(number: number, content: Uint8Array): Uint8Array {
  return message(Uint8Array.from([...varint(number * 8 + 2), ...varint(content.length)]), content);
}

function text(number: number, value: string): Uint8Array {
  return field(number, new TextEncoder().encode(value));
}

function varintField(number: number, value: number): Uint8Array {
  return Uint8Array.from([...varint(number * 8), ...varint(value)]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}
