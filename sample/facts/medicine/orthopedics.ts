import { conditions } from "./condition.ts";

export const orthopedics = conditions(
  "orthopedics",
  `
acute compartment syndrome | youth | pain on passive toe stretch | raised pressure within a fascial space | slit-catheter pressure measurement | emergency fasciotomy | limb elevation above the heart | tibial shaft fracture | an ischemic contracture | BOAST guideline | compression/plaster/splint/nerve block/tight/ice/urgent surgical
scaphoid fracture | youth | anatomical snuffbox tenderness | a fall on an outstretched hand | wrist MRI | thumb spica immobilization | discharge after normal first radiograph | contact sport | avascular necrosis | NICE NG38 | smoking/radiograph/CT/low-energy
slipped capital femoral epiphysis | youth | knee pain with obligate external rotation | shear through the growth plate | a frog-leg hip radiograph | in situ screw fixation | weight bearing before surgery | rapid growth with obesity | avascular necrosis of the hip | StatPearls | reduction/manipulat/sport/walking
developmental dysplasia of the hip | infant | a clunk on Ortolani maneuver | shallow acetabulum | Graf ultrasound before six months | a Pavlik harness | swaddling with straight legs | breech birth | early osteoarthritis | AAP guideline | -
knee osteoarthritis | elder | activity-related joint pain with crepitus | wear of articular cartilage | a weight-bearing radiograph | exercise and topical diclofenac | routine arthroscopic lavage | obesity and age | loss of mobility | NICE NG226 | opioid/glucosamine/NSAID/morphine/naproxen/paracetamol/joint injection
hip fracture | elder | a shortened externally rotated leg | a low-energy fall on weak bone | an anteroposterior pelvic radiograph | surgery within 36 hours | prolonged skin traction | osteoporosis with frailty | hospital-acquired delirium | NICE CG124 | bed rest/opioid/benzodiazepine/delay/sedat/anticholinergic/fall on
cauda equina syndrome | adult | saddle numbness with urinary retention | a large central disc prolapse | emergency lumbar spine MRI | urgent surgical decompression | spinal manipulation | heavy lifting | permanent incontinence | BASS guideline | bed rest/traction/chiroprac/anticholinergic/emergency fasciotomy
osteomyelitis | child | metaphyseal tenderness with fever | hematogenous Staphylococcus aureus | bone MRI with blood cultures | intravenous then oral flucloxacillin | antibiotics before cultures when stable | sickle cell disease or trauma | a chronic draining sinus | IDSA guideline | steroid/corticosteroid/antibiotic
osteosarcoma | youth | a sunburst lesion near the knee | malignant bone-forming cells | a planned core needle biopsy | chemotherapy and limb-sparing surgery | unplanned excision biopsy | Paget disease or retinoblastoma gene | lung metastases | ESMO guideline | radiotherapy/biopsy
`,
);
