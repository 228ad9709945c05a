import type { Feature, Tree } from "./ensemble";
import { refuse } from "./errors";
import { integer, type Json, numbers, object } from "./fields";

export interface TreeContext {
  readonly features: readonly Feature[];
  readonly output: number;
  /** Factor of the leaves: `weight_drop` of a dart model, else 1. */
  readonly weight: number;
}

const CATEGORICAL = 1;

/** Checks one element of `trees`. Throws `ModelFileError` naming the array and node at fault. */
export function readTree(source: Json, path: string, { features, output, weight }: TreeContext): Tree {
  const parameters = object(source, path, "tree_param");
  const size = integer(parameters, `${path}.tree_param`, "size_leaf_vector", 0);
  if (size > 1)
    refuse(
      `${path}.tree_param.size_leaf_vector is ${size}: trees with a vector in each leaf (multi_strategy=multi_output_tree) are not evaluated here.`,
    );
  const count = integer(parameters, `${path}.tree_param`, "num_nodes");
  if (count === 0) refuse(`${path}.tree_param.num_nodes is 0; a tree has at least its root.`);
  const array = (name: string): ArrayLike<number> => numbers(source, path, name, count);
  const left = Int32Array.from(array("left_children"));
  const right = Int32Array.from(array("right_children"));
  const feature = Int32Array.from(array("split_indices"));
  const value = Float32Array.from(array("split_conditions"));
  const categories = readCategories(source, path, count);
  checkShape(left, right, path);
  for (let node = 0; node < count; node++) {
    const at = `${path}.split_conditions[${node}]`;
    if (left[node]! < 0) {
      if (!Number.isFinite(value[node])) refuse(`${at}, a leaf, is ${value[node]}; a finite number was expected.`);
      value[node] = value[node]! * Math.fround(weight);
    } else {
      if (!(feature[node]! >= 0 && feature[node]! < features.length)) {
        refuse(`${path}.split_indices[${node}] is ${feature[node]}; the model has ${features.length} features, counted from 0.`);
      }
      if (!categories.has(node) && Number.isNaN(value[node])) refuse(`${at}, a threshold, is not a number.`);
    }
  }
  return {
    left,
    right,
    feature,
    value,
    defaultLeft: Uint8Array.from(array("default_left")),
    cover: Float32Array.from(array("sum_hessian")),
    categories,
    output,
  };
}

/** Every node but the root has exactly one parent, so a walk ends. */
function checkShape(left: Int32Array, right: Int32Array, path: string): void {
  const seen = new Uint8Array(left.length);
  seen[0] = 1;
  const stack = [0];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (left[node] === -1) continue;
    for (const [child, name] of [
      [left[node]!, "left_children"],
      [right[node]!, "right_children"],
    ] as const) {
      if (child < 0 || child >= left.length)
        refuse(`${path}.${name}[${node}] is ${child}; the tree has ${left.length} nodes, counted from 0.`);
      if (seen[child] === 1)
        refuse(`${path}.${name}[${node}] is ${child}, a node that already has a parent: the file is damaged.`);
      seen[child] = 1;
      stack.push(child);
    }
  }
}

/** Category sets by node. `categories_nodes` lists the nodes, `_segments` and `_sizes` their slices of `categories`. */
function readCategories(source: Json, path: string, count: number): Map<number, Int32Array> {
  const sets = new Map<number, Int32Array>();
  if (!Object.hasOwn(source, "split_type")) return sets;
  const types = numbers(source, path, "split_type", count);
  const nodes = numbers(source, path, "categories_nodes");
  const starts = numbers(source, path, "categories_segments", nodes.length);
  const sizes = numbers(source, path, "categories_sizes", nodes.length);
  const all = Int32Array.from(numbers(source, path, "categories"));
  for (let index = 0; index < nodes.length; index++) {
    const end = starts[index]! + sizes[index]!;
    if (!(starts[index]! >= 0) || !(sizes[index]! > 0) || end > all.length) {
      refuse(
        `${path}.categories_segments[${index}] spans ${starts[index]} to ${end} of ${all.length} categories: the file is damaged.`,
      );
    }
    const set = all.slice(starts[index]!, end).sort();
    if (set[0]! < 0 || set[set.length - 1]! >= 2 ** 24)
      refuse(`${path}.categories holds ${set[0]! < 0 ? set[0] : set[set.length - 1]}; categories are 0 to 2^24 - 1.`);
    sets.set(nodes[index]!, set);
  }
  for (let node = 0; node < count; node++) {
    if ((types[node] === CATEGORICAL) !== sets.has(node)) {
      refuse(
        `${path}.split_type[${node}] is ${types[node]}, but categories_nodes ${sets.has(node) ? "lists" : "does not list"} the node: the file is damaged.`,
      );
    }
  }
  return sets;
}
