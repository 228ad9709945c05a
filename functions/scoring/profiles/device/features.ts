import { type FeatureDefinition, featureSet } from "../../core/features";

/** What a fingerprinting script and the account's records say about a device. Only append to the lists: archived rows have this order. */

interface TextField {
  readonly name: string;
  readonly description: string;
  readonly example: string;
}

interface NumberField {
  readonly name: string;
  readonly description: string;
  readonly unit?: string;
  readonly minimum: number;
  readonly maximum: number;
}

export const FLAGS = [
  { name: "vpn", description: "1 behind a VPN" },
  { name: "proxy", description: "1 behind a proxy or Tor" },
  { name: "bot", description: "1 when a program drives the browser" },
] as const;

export const TEXTS = [
  { name: "browser", description: "Browser", example: "Chrome" },
  { name: "browser_engine", description: "Browser engine", example: "Blink" },
  { name: "os", description: "Operating system", example: "Windows" },
  { name: "os_version", description: "Version of the operating system", example: "11" },
  { name: "platform", description: "Platform that the browser reports", example: "Win32" },
  { name: "device_type", description: "Type of device", example: "desktop" },
  { name: "device_brand", description: "Brand of the device", example: "Dell" },
  { name: "device_family", description: "Product family", example: "XPS" },
  { name: "device_integrity", description: "Integrity of the device", example: "genuine" },
  { name: "gpu_vendor", description: "Vendor of the graphics processor", example: "Intel" },
  { name: "gpu_renderer", description: "Family of the graphics processor", example: "Iris Xe" },
  { name: "font_set", description: "Set of fonts that the installed ones resemble", example: "windows-office" },
  { name: "color_gamut", description: "Colours that the screen shows", example: "srgb" },
  { name: "pointer_type", description: "Pointing device", example: "fine" },
  { name: "timezone", description: "Time zone of the device's clock", example: "Europe/Berlin" },
  { name: "language", description: "First language of the browser", example: "de-DE" },
  { name: "ip_country", description: "Country of the address", example: "DE" },
  { name: "card_country", description: "Country of the card's issuer", example: "DE" },
  { name: "connection_type", description: "Type of connection", example: "wifi" },
  { name: "network_type", description: "Type of network that the address belongs to", example: "residential" },
  { name: "network_operator", description: "Operator of the network", example: "Deutsche Telekom" },
  { name: "flow", description: "What the visitor was doing", example: "checkout" },
] as const satisfies readonly TextField[];

export const NUMBERS = [
  { name: "screen_width", description: "Screen width", unit: "px", minimum: 0, maximum: 20_000 },
  { name: "screen_height", description: "Screen height", unit: "px", minimum: 0, maximum: 20_000 },
  { name: "viewport_width", description: "Window width", unit: "px", minimum: 0, maximum: 20_000 },
  { name: "viewport_height", description: "Window height", unit: "px", minimum: 0, maximum: 20_000 },
  { name: "pixel_ratio", description: "Device pixels per CSS pixel", minimum: 0, maximum: 10 },
  { name: "color_depth", description: "Colour depth", unit: "bit", minimum: 0, maximum: 64 },
  { name: "cpu_cores", description: "Processor cores", minimum: 0, maximum: 1024 },
  { name: "memory_gb", description: "Memory", unit: "GB", minimum: 0, maximum: 4096 },
  { name: "storage_gb", description: "Storage that the browser may use", unit: "GB", minimum: 0, maximum: 1_000_000 },
  { name: "battery_percent", description: "Battery charge", unit: "%", minimum: 0, maximum: 100 },
  { name: "touch_points", description: "Touch points", minimum: 0, maximum: 256 },
  { name: "gpu_texture_limit", description: "Largest texture", unit: "px", minimum: 0, maximum: 1_000_000 },
  { name: "font_count", description: "Installed fonts", minimum: 0, maximum: 10_000 },
  { name: "plugin_count", description: "Browser plug-ins", minimum: 0, maximum: 1000 },
  { name: "codec_count", description: "Media formats that can be played", minimum: 0, maximum: 1000 },
  { name: "voice_count", description: "Voices for speech", minimum: 0, maximum: 10_000 },
  { name: "language_count", description: "Languages of the browser", minimum: 0, maximum: 1000 },
  { name: "browser_version", description: "Major version of the browser", minimum: 0, maximum: 10_000 },
  { name: "browser_age_days", description: "Age of the browser's release", unit: "days", minimum: 0, maximum: 20_000 },
  { name: "os_age_days", description: "Age of the operating system's release", unit: "days", minimum: 0, maximum: 20_000 },
  { name: "user_agent_length", description: "Length of the user agent", unit: "characters", minimum: 0, maximum: 10_000 },
  { name: "header_count", description: "Request headers", minimum: 0, maximum: 1000 },
  { name: "storage_items", description: "Items in the site's local storage", minimum: 0, maximum: 1_000_000 },
  { name: "cookie_age_days", description: "Age of the site's oldest cookie", unit: "days", minimum: 0, maximum: 20_000 },
  { name: "canvas_entropy", description: "Rarity of the canvas print", unit: "bit", minimum: 0, maximum: 64 },
  { name: "webgl_entropy", description: "Rarity of the WebGL print", unit: "bit", minimum: 0, maximum: 64 },
  { name: "audio_entropy", description: "Rarity of the audio print", unit: "bit", minimum: 0, maximum: 64 },
  { name: "font_entropy", description: "Rarity of the set of fonts", unit: "bit", minimum: 0, maximum: 64 },
  { name: "fingerprint_entropy", description: "Rarity of the whole print", unit: "bit", minimum: 0, maximum: 128 },
  { name: "inconsistency_count", description: "Statements of the browser that contradict each other", minimum: 0, maximum: 1000 },
  { name: "emulator_likelihood", description: "Likelihood of an emulator or virtual machine, 0 to 1", minimum: 0, maximum: 1 },
  { name: "clock_skew_ms", description: "Difference of the clocks", unit: "ms", minimum: -1e12, maximum: 1e12 },
  { name: "timezone_offset_minutes", description: "Clock ahead of UTC", unit: "min", minimum: -1440, maximum: 1440 },
  { name: "timezone_mismatch_hours", description: "Clock and address apart", unit: "h", minimum: 0, maximum: 24 },
  { name: "latency_ms", description: "Latency", unit: "ms", minimum: 0, maximum: 1e6 },
  { name: "latency_jitter_ms", description: "Deviation of the latency", unit: "ms", minimum: 0, maximum: 1e6 },
  { name: "download_mbps", description: "Download speed", unit: "Mbit/s", minimum: 0, maximum: 1e6 },
  { name: "hop_count", description: "Hops, by the packets' time to live", minimum: 0, maximum: 255 },
  { name: "tls_cipher_count", description: "TLS ciphers offered", minimum: 0, maximum: 1000 },
  { name: "webrtc_address_count", description: "Addresses that WebRTC shows", minimum: 0, maximum: 1000 },
  { name: "ip_distance_km", description: "Address from the account's usual place", unit: "km", minimum: 0, maximum: 20_100 },
  { name: "ip_risk_score", description: "Reputation of the address, 0 to 100", minimum: 0, maximum: 100 },
  { name: "network_risk_score", description: "Reputation of the network, 0 to 100", minimum: 0, maximum: 100 },
  { name: "device_age_days", description: "Device known for", unit: "days", minimum: 0, maximum: 20_000 },
  { name: "account_age_days", description: "Account open for", unit: "days", minimum: 0, maximum: 50_000 },
  { name: "sessions_24h", description: "Sessions of the device in 24 hours", minimum: 0, maximum: 1e6 },
  { name: "accounts_on_device_24h", description: "Accounts on the device in 24 hours", minimum: 0, maximum: 1e6 },
  { name: "accounts_on_device_30d", description: "Accounts on the device in 30 days", minimum: 0, maximum: 1e6 },
  { name: "devices_on_account_30d", description: "Devices of the account in 30 days", minimum: 0, maximum: 1e6 },
  { name: "cards_on_device_30d", description: "Cards on the device in 30 days", minimum: 0, maximum: 1e6 },
  { name: "addresses_24h", description: "Addresses of the device in 24 hours", minimum: 0, maximum: 1e6 },
  { name: "countries_7d", description: "Countries of the device in 7 days", minimum: 0, maximum: 300 },
  { name: "failed_logins_24h", description: "Failed logins on the device in 24 hours", minimum: 0, maximum: 1e6 },
  { name: "password_resets_30d", description: "Passwords reset on the device in 30 days", minimum: 0, maximum: 1e6 },
  { name: "chargebacks_365d", description: "Chargebacks of the device's accounts in a year", minimum: 0, maximum: 1e6 },
  { name: "session_seconds", description: "Length of the session so far", unit: "s", minimum: 0, maximum: 1e7 },
  { name: "keystroke_interval_ms", description: "Mean time between keys", unit: "ms", minimum: 0, maximum: 1e7 },
  { name: "pointer_speed", description: "Mean speed of the pointer", unit: "px/s", minimum: 0, maximum: 1e7 },
  { name: "scroll_count", description: "Scroll events in the session", minimum: 0, maximum: 1e7 },
  { name: "paste_count", description: "Fields that were filled by pasting", minimum: 0, maximum: 1e6 },
] as const satisfies readonly NumberField[];

const DEFINITIONS: readonly FeatureDefinition[] = [
  ...FLAGS.map(({ name, description }) => ({ name, description, boolean: true }) as const),
  ...TEXTS.map(({ name, description }) => ({ name, description, open: true }) as const),
  ...NUMBERS.map(({ name, description, ...rest }) => ({ name, description, ...("unit" in rest ? { unit: rest.unit } : {}) })),
];

/** 3 yes-or-no, 22 categorical and 60 numeric features. */
export const DEVICE_FEATURES = featureSet(DEFINITIONS);
