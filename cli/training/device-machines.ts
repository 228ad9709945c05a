/** The machines of the device world: what a browser reports about itself and the machine that it runs on. */
import type { Random } from "../demo/random";

export interface Machine {
  readonly values: Readonly<Record<string, string | number | boolean>>;
  readonly isMobile: boolean;
  /** The browser hides fingerprints and hardware. */
  readonly isPrivate: boolean;
}

interface Model {
  readonly weight: number;
  readonly values: Readonly<Record<"os" | "platform" | "device_type" | "device_brand" | "device_family" | "gpu_vendor", string>>;
  readonly versions: readonly [string, ...string[]];
  readonly renderers: readonly [string, ...string[]];
  readonly screens: readonly [readonly [number, number, number], ...(readonly [number, number, number])[]];
  readonly fonts: string;
}

const DESKTOP = [
  [1920, 1080, 1],
  [2560, 1440, 1.5],
  [1366, 768, 1],
] as const;

const MODELS: readonly [Model, ...Model[]] = [
  {
    weight: 40,
    values: values("Windows", "Win32", "desktop", "Dell", "XPS", "Intel"),
    versions: ["11", "11", "10"],
    renderers: ["Iris Xe", "UHD 620", "ANGLE (Intel, D3D11)"],
    screens: DESKTOP,
    fonts: "windows-office",
  },
  {
    weight: 12,
    values: values("Windows", "Win32", "desktop", "Custom", "Gaming PC", "NVIDIA"),
    versions: ["11", "10"],
    renderers: ["GeForce RTX 3060", "GeForce GTX 1650"],
    screens: DESKTOP,
    fonts: "windows",
  },
  {
    weight: 14,
    values: values("macOS", "MacIntel", "desktop", "Apple", "MacBook", "Apple"),
    versions: ["14.5", "13.6", "15.1"],
    renderers: ["Apple M1", "Apple M2"],
    screens: [[1512, 982, 2]],
    fonts: "mac",
  },
  {
    weight: 18,
    values: values("iOS", "iPhone", "mobile", "Apple", "iPhone", "Apple"),
    versions: ["17.5", "18.1", "16.7"],
    renderers: ["Apple GPU"],
    screens: [
      [390, 844, 3],
      [430, 932, 3],
    ],
    fonts: "ios",
  },
  {
    weight: 20,
    values: values("Android", "Linux armv81", "mobile", "Samsung", "Galaxy", "Qualcomm"),
    versions: ["14", "13", "12", "15"],
    renderers: ["Adreno 740", "Mali-G78"],
    screens: [
      [412, 915, 2.625],
      [360, 800, 3],
    ],
    fonts: "android",
  },
  {
    weight: 3,
    values: values("Linux", "Linux x86_64", "desktop", "Lenovo", "ThinkPad", "AMD"),
    versions: ["6.8", "6.1"],
    renderers: ["Radeon Vega", "llvmpipe"],
    screens: DESKTOP,
    fonts: "linux",
  },
  {
    weight: 0.6,
    values: values("Tizen", "Linux armv7l", "tv", "Samsung", "Smart TV", "ARM"),
    versions: ["7.0"],
    renderers: ["Mali-G52"],
    screens: [[1920, 1080, 1]],
    fonts: "tv",
  },
];

function values(
  os: string,
  platform: string,
  device_type: string,
  device_brand: string,
  device_family: string,
  gpu_vendor: string,
): Model["values"] {
  return { os, platform, device_type, device_brand, device_family, gpu_vendor };
}

const TOTAL = MODELS.reduce((sum, { weight }) => sum + weight, 0);

function modelOf(share: number): Model {
  let left = share;
  for (const model of MODELS) {
    left -= model.weight;
    if (left < 0) return model;
  }
  return MODELS[0];
}

/** `isRigged`: an emulator, or a machine driven by a script. `isLate`: brands and browsers that only the last days have. */
export function machine(random: Random, isRigged: boolean, isLate: boolean): Machine {
  const model = modelOf(random.next() * TOTAL);
  const { device_type: type, os } = model.values;
  const isMobile = type === "mobile";
  const isNew = isLate && random.chance(0.08);
  const isPrivate = random.chance(0.04);
  const browser = isNew ? "Ladybird" : isPrivate ? random.pick(["Brave", "Tor Browser"]) : usualBrowser(random, os);
  const [width, height, ratio] = random.pick(model.screens);
  const isEmulator = isRigged && random.chance(0.55);
  const integrity = isEmulator && random.chance(0.6) ? "emulator" : "genuine";
  const broken = isMobile && random.chance(isRigged ? 0.3 : 0.03) ? (os === "iOS" ? "jailbroken" : "rooted") : integrity;
  const entropy = (mean: number) => Math.max(0, Math.round(100 * (mean + 2.2 * random.normal() + (isEmulator ? 3 : 0))) / 100);
  const prints = [entropy(8), entropy(9), entropy(5), entropy(7)] as const;
  return {
    isMobile,
    isPrivate,
    values: {
      ...model.values,
      device_brand: isNew && isMobile ? "Nothing" : model.values.device_brand,
      os_version: random.pick(model.versions),
      browser,
      browser_engine: browser === "Safari" || os === "iOS" ? "WebKit" : browser === "Firefox" ? "Gecko" : "Blink",
      device_integrity: broken,
      gpu_renderer: isEmulator ? random.pick(["SwiftShader", "llvmpipe"]) : random.pick(model.renderers),
      font_set: isEmulator && random.chance(0.5) ? "bare" : model.fonts,
      color_gamut: model.values.device_brand === "Apple" ? "p3" : "srgb",
      pointer_type: isMobile ? "coarse" : random.chance(0.02) ? "none" : "fine",
      screen_width: width,
      screen_height: height,
      viewport_width: width - (isMobile ? 0 : random.integer(0, 200)),
      viewport_height: Math.max(100, height - random.integer(60, 180)),
      pixel_ratio: ratio,
      color_depth: random.chance(0.9) ? 24 : 30,
      cpu_cores: isEmulator ? random.integer(1, 2) : random.pick([4, 6, 8, 8, 12, 16]),
      memory_gb: random.pick(isMobile ? [4, 6, 8] : [8, 16, 32]),
      storage_gb: random.integer(8, 900),
      battery_percent: isEmulator ? 100 : random.integer(3, 100),
      touch_points: isMobile ? 5 : 0,
      gpu_texture_limit: isEmulator ? 8192 : 16_384,
      font_count: random.integer(isEmulator ? 5 : 40, isMobile ? 70 : 320),
      plugin_count: isMobile ? 0 : random.integer(0, 6),
      codec_count: random.integer(5, 14),
      voice_count: isEmulator ? 0 : random.integer(1, 60),
      browser_version: random.integer(118, 131),
      browser_age_days: random.integer(0, isRigged ? 900 : 300),
      os_age_days: random.integer(10, 1500),
      user_agent_length: random.integer(80, 180),
      header_count: random.integer(isRigged ? 6 : 12, 20),
      canvas_entropy: prints[0],
      webgl_entropy: prints[1],
      audio_entropy: prints[2],
      font_entropy: prints[3],
      fingerprint_entropy: Math.round(100 * (0.6 * prints.reduce((sum, bits) => sum + bits, 0) + random.normal() ** 2)) / 100,
      inconsistency_count: Math.floor(-Math.log(1 - random.next()) * (isRigged ? 1.8 : 0.35)),
      emulator_likelihood: Math.round(1000 * Math.min(1, Math.max(0, (isEmulator ? 0.8 : 0.12) + 0.14 * random.normal()))) / 1000,
    },
  };
}

function usualBrowser(random: Random, os: string): string {
  if (os === "iOS" || os === "macOS") return random.pick(["Safari", "Safari", "Chrome"]);
  if (os === "Android") return random.pick(["Chrome", "Chrome", "Chrome", "Samsung Internet"]);
  return random.chance(0.01)
    ? random.pick(["Vivaldi", "Opera GX"])
    : random.pick(["Chrome", "Chrome", "Chrome", "Edge", "Firefox"]);
}
