/** Random models in XGBoost's JSON form, from a seed: shapes that training would rarely give. */

export interface ModelShape {
  readonly seed: number;
  readonly trees: number;
  readonly depth: number;
  readonly features: number;
  readonly outputs: number;
  /** Distinct thresholds per feature: few make ties, many need 16-bit ranks. */
  readonly thresholds: number;
  /** Share of the splits that are categorical. */
  readonly categorical: number;
  /** Chance that a node above the full depth is a leaf. */
  readonly pruned: number;
  readonly dart: boolean;
  /** As the file has it; default a quarter. */
  readonly baseScore?: string;
}

export type Random = () => number;

/** mulberry32: 32 bits of state, good enough to draw trees. */
export function random(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Values that a threshold of the model may have; rows draw from them too, so that ties happen. */
export function thresholdValue(random: Random, shape: ModelShape): number {
  return Math.fround(Math.floor(random() * shape.thresholds) / 8 - shape.thresholds / 16);
}

export function randomModel(shape: ModelShape): Record<string, unknown> {
  const next = random(shape.seed);
  const trees = Array.from({ length: shape.trees }, () => randomTree(next, shape));
  const model = {
    gbtree_model_param: { num_parallel_tree: "1", num_trees: String(trees.length) },
    tree_info: trees.map((_, index) => index % shape.outputs),
    trees,
  };
  const booster = shape.dart
    ? { name: "dart", gbtree: { model, name: "gbtree" }, weight_drop: trees.map(() => Math.fround(next())) }
    : { name: "gbtree", model };
  return {
    learner: {
      attributes: {},
      feature_names: [],
      feature_types: [],
      gradient_booster: booster,
      learner_model_param: {
        base_score: shape.baseScore ?? "[2.5E-1]",
        num_class: String(shape.outputs > 1 ? shape.outputs : 0),
        num_feature: String(shape.features),
        num_target: "1",
      },
      objective: { name: shape.outputs > 1 ? "multi:softprob" : "binary:logistic" },
    },
    version: [3, 2, 0],
  };
}

export function randomRows(shape: ModelShape, count: number): Float32Array {
  const next = random(shape.seed ^ 0x5eed);
  const odd = [Number.NaN, Number.NaN, Infinity, -Infinity, 3.4e38, -3.4e38, 1e-45, -0, 2 ** 24, -0.5, 1e9];
  return Float32Array.from({ length: count * shape.features }, () => {
    const kind = next();
    if (kind < 0.2) return odd[Math.floor(next() * odd.length)]!;
    if (kind < 0.5) return thresholdValue(next, shape);
    return kind < 0.75 ? Math.floor(next() * 40) : (next() - 0.5) * shape.thresholds;
  });
}

function randomTree(next: Random, shape: ModelShape): Record<string, unknown> {
  const tree = {
    left_children: [] as number[],
    right_children: [] as number[],
    split_indices: [] as number[],
    split_conditions: [] as number[],
    default_left: [] as number[],
    sum_hessian: [] as number[],
    split_type: [] as number[],
    categories: [] as number[],
    categories_nodes: [] as number[],
    categories_segments: [] as number[],
    categories_sizes: [] as number[],
  };
  const queue = [{ node: 0, level: 0 }];
  let free = 1;
  for (const { node, level } of queue) {
    const isLeaf = level === shape.depth || next() < shape.pruned;
    tree.split_indices[node] = isLeaf ? 0 : Math.floor(next() * shape.features);
    tree.default_left[node] = next() < 0.5 ? 1 : 0;
    tree.sum_hessian[node] = Math.fround(1 + next() * 10);
    tree.split_type[node] = !isLeaf && next() < shape.categorical ? 1 : 0;
    tree.left_children[node] = isLeaf ? -1 : free;
    tree.right_children[node] = isLeaf ? -1 : free + 1;
    tree.split_conditions[node] = isLeaf ? Math.fround(next() - 0.5) : thresholdValue(next, shape);
    if (isLeaf) continue;
    queue.push({ node: free, level: level + 1 }, { node: free + 1, level: level + 1 });
    free += 2;
    if (tree.split_type[node] === 1) {
      const set = new Set(Array.from({ length: 1 + Math.floor(next() * 6) }, () => Math.floor(next() * 40)));
      tree.categories_nodes.push(node);
      tree.categories_segments.push(tree.categories.length);
      tree.categories_sizes.push(set.size);
      tree.categories.push(...set);
    }
  }
  return { ...tree, tree_param: { num_nodes: String(free), size_leaf_vector: "1" } };
}
