import { expect, test } from "vitest";
import { footprintOf, formatEnergy } from "./footprint.ts";

const host = { name: "", system: "", cpu: "", cores: 2, memoryBytes: 16 * 2 ** 30 };

test("energy is time times power; emissions and money only where the recipe prices them", () => {
  const plain = footprintOf(3600, host);
  expect(plain.watts).toBeCloseTo(2 * 12 + 16 * 0.3725, 12);
  expect(plain.kilowattHours).toBeCloseTo(plain.watts / 1000, 12); // an hour
  expect(plain).not.toHaveProperty("carbonKg");
  const priced = footprintOf(1800, host, { watts: 400, carbonKgPerKwh: 0.016, pricePerHour: 3, currency: "EUR" });
  expect(priced).toMatchObject({ kilowattHours: 0.2, carbonKg: 0.0032, price: { amount: 1.5, currency: "EUR" } });
  expect(priced.basis).toBe("400 W as the recipe states");
});

test("small energies in Wh", () => expect([0.0041, 2.304].map(formatEnergy)).toEqual(["4.1 Wh", "2.30 kWh"]));
