/** Source and detail type of a profile's events on the bus. */
export interface EventNames {
  /** `lead.scoring` */
  readonly source: string;
  /** `Lead Scored` */
  readonly detailType: string;
}

export function eventNames(profile: string): EventNames {
  return { source: `${profile}.scoring`, detailType: `${profile.charAt(0).toUpperCase()}${profile.slice(1)} Scored` };
}
