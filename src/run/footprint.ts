/**
 * What a run cost: time is measured, energy is estimated from it, and is called so. Emissions and money only where the recipe says
 * what a kilowatt-hour and an hour are worth.
 *
 *   energy = Σ seconds of stages · watts / 3.6e6        in kWh
 *   watts  = 12 · cores + 0.3725 · GiB of memory        unless the recipe states the machine's
 *
 * @see Lannelongue, Grealey & Inouye 2021, Green Algorithms, Adv Sci 8:2100707 (a server core under load, memory by the gigabyte)
 */
import { z } from "zod";
import type { Provenance } from "./provenance.ts";

export const footprintSchema = z.strictObject({
  /** Power of the whole machine under load, in W, accelerators included. */
  watts: z.number().positive().optional(),
  /** kg CO2 for a kWh where it runs. */
  carbonKgPerKwh: z.number().min(0).optional(),
  /** Price of an hour of the machine, and the currency it is in. */
  pricePerHour: z.number().min(0).optional(),
  currency: z.string().default("USD"),
});

const WATTS_PER_CORE = 12;
const WATTS_PER_GIB = 0.3725;

export interface Footprint {
  seconds: number;
  watts: number;
  /** How the watts were arrived at. */
  basis: string;
  kilowattHours: number;
  carbonKg?: number;
  price?: { amount: number; currency: string };
}

export function footprintOf(
  seconds: number,
  host: Provenance["host"],
  settings: Partial<z.infer<typeof footprintSchema>> = {},
): Footprint {
  const gib = host.memoryBytes / 2 ** 30;
  const watts = settings.watts ?? WATTS_PER_CORE * host.cores + WATTS_PER_GIB * gib;
  const kilowattHours = (watts * seconds) / 3.6e6;
  const { carbonKgPerKwh, pricePerHour, currency = "USD" } = settings;
  return {
    seconds,
    watts,
    basis:
      settings.watts !== undefined
        ? `${settings.watts} W as the recipe states`
        : `${host.cores} cores at ${WATTS_PER_CORE} W and ${gib.toFixed(1)} GiB at ${WATTS_PER_GIB} W`,
    kilowattHours,
    ...(carbonKgPerKwh === undefined ? {} : { carbonKg: kilowattHours * carbonKgPerKwh }),
    ...(pricePerHour === undefined ? {} : { price: { amount: (pricePerHour * seconds) / 3600, currency } }),
  };
}

/** "4.1 Wh", "2.30 kWh". */
export const formatEnergy = (kilowattHours: number): string =>
  kilowattHours < 1 ? `${(1000 * kilowattHours).toPrecision(2)} Wh` : `${kilowattHours.toPrecision(3)} kWh`;
