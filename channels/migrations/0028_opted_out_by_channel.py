from django.db import migrations, models
from django.db.models import Exists, OuterRef


def know_again(apps, schema_editor):
    """Which opt-outs a channel has told, as far back as its events are kept; the others count as
    noted by a person."""
    told = apps.get_model("channels", "InboundEvent").objects.filter(
        kind="unfollowed",
        account=OuterRef("account"),
        address=OuterRef("address"),
        happened_at=OuterRef("opted_out_at"),
    )
    people = apps.get_model("channels", "Recipient").objects.filter(opted_out_at__isnull=False)
    people.filter(Exists(told)).update(opted_out_by_channel=True)


class Migration(migrations.Migration):
    dependencies = [
        ("channels", "0027_webhooks_given_up"),
    ]

    operations = [
        migrations.AddField(
            model_name="recipient",
            name="opted_out_by_channel",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.RunPython(know_again, migrations.RunPython.noop),
    ]
