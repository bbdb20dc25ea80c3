import { conditions } from "./condition.ts";

export const orthopedics = conditions(
  "orthopedics",
  `
acute compartment syndrome | youth | pain on passive toe stretch after fracture | raised pressure within a fascial space | intracompartmental pressure measurement | emergency fasciotomy | limb elevation above the heart | tibial shaft fracture | ischemic contracture | BOAST guideline | compression/plaster/splint/nerve block/tight/ice
scaphoid fracture | youth | anatomical snuffbox tenderness | fall on an outstretched hand | wrist MRI | thumb spica immobilization | discharge after normal first radiograph | contact sport | avascular necrosis | BOAST guideline | smoking/radiograph/CT
slipped capital femoral epiphysis | youth | knee pain in an obese teenager | shear through the femoral growth plate | frog-leg hip radiograph | in situ screw fixation | weight bearing before surgery | rapid growth with obesity | femoral head necrosis | StatPearls | reduction/manipulat/sport/walking
developmental dysplasia of the hip | infant | hip clunk on Ortolani maneuver | shallow acetabulum | hip ultrasound before six months | Pavlik harness | swaddling with straight legs | breech birth | early osteoarthritis | AAP guideline | -
knee osteoarthritis | elder | activity-related knee pain with crepitus | wear of articular cartilage | weight-bearing knee radiograph | exercise with topical diclofenac | routine arthroscopic lavage | obesity and age | loss of mobility | NICE NG226 | opioid/glucosamine/NSAID/morphine/naproxen/paracetamol
hip fracture | elder | shortened externally rotated leg | osteoporotic fall | anteroposterior pelvic radiograph | surgery within 36 hours | prolonged skin traction | osteoporosis with frailty | hospital-acquired delirium | NICE CG124 | bed rest/opioid/benzodiazepine/delay/sedat/anticholinergic
cauda equina syndrome | adult | saddle numbness with urinary retention | large central disc prolapse | emergency lumbar spine MRI | urgent surgical decompression | spinal manipulation | heavy lifting | permanent incontinence | BASS guideline | bed rest/traction/chiroprac/anticholinergic
osteomyelitis | child | metaphyseal bone pain with fever | hematogenous Staphylococcus aureus | bone MRI with blood cultures | six weeks of flucloxacillin | short antibiotic courses | sickle cell disease or trauma | chronic draining sinus | IDSA guideline | steroid/corticosteroid
osteosarcoma | youth | sunburst lesion near the knee | malignant osteoid-forming cells | planned core needle biopsy | chemotherapy with limb-sparing surgery | unplanned excision biopsy | Paget disease or retinoblastoma gene | lung metastases | ESMO guideline | radiotherapy/biopsy
`,
);
