import { cardiology } from "./cardiology.ts";
import type { Condition } from "./condition.ts";
import { dermatology } from "./dermatology.ts";
import { emergencyMedicine } from "./emergency-medicine.ts";
import { endocrinology } from "./endocrinology.ts";
import { gastroenterology } from "./gastroenterology.ts";
import { hematology } from "./hematology.ts";
import { infectiousDisease } from "./infectious-disease.ts";
import { nephrology } from "./nephrology.ts";
import { neurology } from "./neurology.ts";
import { obstetricsGynecology } from "./obstetrics-gynecology.ts";
import { oncology } from "./oncology.ts";
import { ophthalmology } from "./ophthalmology.ts";
import { orthopedics } from "./orthopedics.ts";
import { otolaryngology } from "./otolaryngology.ts";
import { pediatrics } from "./pediatrics.ts";
import { psychiatry } from "./psychiatry.ts";
import { pulmonology } from "./pulmonology.ts";
import { rheumatology } from "./rheumatology.ts";
import { urology } from "./urology.ts";

export type { Condition, Patient } from "./condition.ts";

/** All conditions of the sample world, by specialty, in a fixed order. */
export const allConditions: readonly Condition[] = [
  cardiology,
  pulmonology,
  gastroenterology,
  nephrology,
  endocrinology,
  neurology,
  infectiousDisease,
  hematology,
  rheumatology,
  dermatology,
  ophthalmology,
  otolaryngology,
  psychiatry,
  obstetricsGynecology,
  urology,
  pediatrics,
  emergencyMedicine,
  orthopedics,
  oncology,
].flat();
