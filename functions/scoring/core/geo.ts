/** Mean radius of the earth (IUGG), km. */
const EARTH_RADIUS_KM = 6371.0088;
const RADIANS = Math.PI / 180;

/** Great-circle distance between two places in degrees, km (haversine formula; error of the sphere below 0.6 %). */
export function haversineKm(latitudeA: number, longitudeA: number, latitudeB: number, longitudeB: number): number {
  const halfLatitude = Math.sin(((latitudeB - latitudeA) * RADIANS) / 2);
  const halfLongitude = Math.sin(((longitudeB - longitudeA) * RADIANS) / 2);
  const h =
    halfLatitude * halfLatitude + Math.cos(latitudeA * RADIANS) * Math.cos(latitudeB * RADIANS) * halfLongitude * halfLongitude;
  // Rounding can push antipodes a hair above 1, where asin has no value.
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** 0.1° is about 11 km: enough for geography, too coarse for an address. */
export function coarse(degrees: number): number {
  // Division instead of multiplication by 0.1: 407 / 10 is the double nearest to 40.7.
  // Adding 0 turns −0, which JSON cannot hold, into 0.
  return Math.round(degrees * 10) / 10 + 0;
}
