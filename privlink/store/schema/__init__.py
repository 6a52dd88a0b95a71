"""The tables, as the last migration leaves them. Columns carry the names of the model's fields.

Rows hold facts only: no status is stored. IPv4 addresses are numbers, so that SQL can order them.

One file for each noun; callers see one namespace: `schema.endpoint`.
"""

from privlink.store.schema.accounts import *
from privlink.store.schema.balancers import *
from privlink.store.schema.base import *
from privlink.store.schema.chosen_names import *
from privlink.store.schema.endpoints import *
from privlink.store.schema.feed import *
from privlink.store.schema.gateways import *
from privlink.store.schema.health import *
from privlink.store.schema.identities import *
from privlink.store.schema.labels import *
from privlink.store.schema.name_servers import *
from privlink.store.schema.nat import *
from privlink.store.schema.networks import *
from privlink.store.schema.security import *
from privlink.store.schema.services import *
from privlink.store.schema.traffic import *
