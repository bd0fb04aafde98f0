from importlib import import_module

from django.db import migrations, models

GUARD = import_module("logs.migrations.0004_guard")


class Migration(migrations.Migration):

    replaces = [('logs', '0001_initial'), ('logs', '0002_billing'), ('logs', '0003_chain'), ('logs', '0004_guard'), ('logs', '0005_counter'), ('logs', '0006_named_fields'), ('logs', '0007_requests'), ('logs', '0008_place')]

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Chain',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.BigIntegerField(default=0)),
                ('digest', models.CharField(blank=True, max_length=64)),
                ('entry_id', models.BigIntegerField(default=0)),
                ('seen_id', models.BigIntegerField()),
                ('seen_at', models.DateTimeField()),
                ('base_number', models.BigIntegerField(default=0)),
                ('base_digest', models.CharField(blank=True, max_length=64)),
                ('base_entry_id', models.BigIntegerField(default=0)),
                ('is_open', models.BooleanField(default=False)),
            ],
            options={
                'verbose_name': 'chain of the history',
                'verbose_name_plural': 'chains of the history',
            },
        ),
        migrations.CreateModel(
            name='Counter',
            fields=[
                ('name', models.CharField(choices=[('fenced_write', 'outcomes of workers that had lost their claim'), ('already_accepted', 'tries that the channel knew already'), ('missed', 'runs and deliveries whose time passed')], max_length=30, primary_key=True, serialize=False, verbose_name='name')),
                ('value', models.BigIntegerField(default=0, verbose_name='value')),
            ],
            options={
                'verbose_name': 'counter',
                'verbose_name_plural': 'counters',
            },
        ),
        migrations.CreateModel(
            name='Seal',
            fields=[
                ('number', models.BigIntegerField(primary_key=True, serialize=False)),
                ('entry_id', models.BigIntegerField(unique=True)),
                ('digest', models.CharField(max_length=64)),
            ],
            options={
                'verbose_name': 'seal',
                'verbose_name_plural': 'seals',
            },
        ),
        migrations.CreateModel(
            name='Tally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('counted_id', models.BigIntegerField(default=0)),
                ('seen_id', models.BigIntegerField()),
                ('seen_at', models.DateTimeField()),
                ('since_ever', models.JSONField(default=dict)),
            ],
            options={
                'verbose_name': 'tally',
                'verbose_name_plural': 'tallies',
            },
        ),
        migrations.CreateModel(
            name='Attempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('delivery_id', models.BigIntegerField()),
                ('run_id', models.BigIntegerField()),
                ('schedule_id', models.BigIntegerField()),
                ('schedule_title', models.CharField(max_length=255, verbose_name='schedule')),
                ('room_id', models.BigIntegerField(null=True)),
                ('audience_id', models.BigIntegerField(null=True)),
                ('room_name', models.CharField(max_length=100, verbose_name='room')),
                ('unit_path', models.CharField(max_length=255)),
                ('channel', models.CharField(max_length=30, verbose_name='channel')),
                ('account_id', models.BigIntegerField()),
                ('part', models.PositiveSmallIntegerField(verbose_name='part')),
                ('number', models.PositiveSmallIntegerField(verbose_name='try')),
                ('key', models.UUIDField(verbose_name='idempotency key')),
                ('due_at', models.DateTimeField(verbose_name='appointed')),
                ('claimed_at', models.DateTimeField(null=True, verbose_name='claimed')),
                ('wire_at', models.DateTimeField(null=True, verbose_name='handed over')),
                ('answered_at', models.DateTimeField(verbose_name='answered')),
                ('outcome', models.CharField(choices=[('accepted', 'accepted'), ('refused', 'refused'), ('later', 'asked to come back'), ('unknown', 'no certain answer')], max_length=10, verbose_name='outcome')),
                ('status', models.PositiveSmallIntegerField(null=True, verbose_name='status')),
                ('request_id', models.CharField(blank=True, help_text='As the channel names it.', max_length=100, verbose_name='request id')),
                ('answer', models.JSONField(default=dict, verbose_name='answer')),
                ('error', models.TextField(blank=True, verbose_name='error')),
                ('lateness_ms', models.IntegerField(help_text='Of the try that counts for punctuality: the accepted first part.', null=True, verbose_name='lateness (ms)')),
                ('billed', models.PositiveIntegerField(default=0, help_text='Messages that the channel bills for it.', verbose_name='billed')),
                ('already', models.BooleanField(db_default=False, default=False, help_text='Accepted, since the channel had accepted an earlier try with the same key.', verbose_name='known already')),
                ('request', models.CharField(blank=True, db_default='', default='', editable=False, help_text='The X-Request-ID of the request from which it came; empty: of none.', max_length=64, verbose_name='originating request')),
            ],
            options={
                'verbose_name': 'attempt',
                'verbose_name_plural': 'attempts',
                'ordering': ['id'],
                'indexes': [models.Index(fields=['delivery_id', 'id'], name='attempts_of_one_delivery'), models.Index(fields=['answered_at'], name='attempts_by_time'), models.Index(condition=models.Q(('billed__gt', 0)), fields=['account_id', 'answered_at'], name='attempts_that_cost')],
            },
        ),
        migrations.CreateModel(
            name='Billing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('unit_path', models.CharField(max_length=255)),
                ('day', models.DateField(verbose_name='day')),
                ('messages', models.PositiveBigIntegerField(verbose_name='billed messages')),
            ],
            options={
                'verbose_name': 'billing',
                'verbose_name_plural': 'billing',
                'ordering': ['unit_path', 'day'],
                'constraints': [models.UniqueConstraint(fields=('unit_path', 'day'), name='one_billing_per_unit_day')],
            },
        ),
        migrations.CreateModel(
            name='History',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('actor_id', models.BigIntegerField(null=True)),
                ('actor', models.CharField(help_text='Empty: the machine itself.', max_length=150, verbose_name='who')),
                ('via', models.CharField(max_length=20, verbose_name='through')),
                ('address', models.CharField(blank=True, max_length=45, verbose_name='from')),
                ('verb', models.CharField(max_length=30, verbose_name='did')),
                ('kind', models.CharField(max_length=30, verbose_name='kind')),
                ('object_id', models.CharField(max_length=40)),
                ('object_name', models.CharField(max_length=255, verbose_name='object')),
                ('unit_path', models.CharField(max_length=255)),
                ('place', models.CharField(db_default='', default='', editable=False, max_length=255)),
                ('changes', models.JSONField(blank=True, default=dict, verbose_name='changes')),
                ('request', models.CharField(blank=True, db_default='', default='', editable=False, help_text='The X-Request-ID of the request from which it came; empty: of none.', max_length=64, verbose_name='originating request')),
            ],
            options={
                'verbose_name': 'history entry',
                'verbose_name_plural': 'history entries',
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['kind', 'object_id', '-id'], name='history_of_one_object'), models.Index(fields=['place'], name='history_by_place', opclasses=['varchar_pattern_ops']), models.Index(fields=['verb', '-id'], name='history_by_verb'), models.Index(fields=['at'], name='history_by_time'), models.Index(condition=models.Q(('request', ''), _negated=True), fields=['request'], name='history_of_one_request')],
            },
        ),
        migrations.CreateModel(
            name='Punctuality',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('unit_path', models.CharField(blank=True, max_length=255)),
                ('day', models.DateField(verbose_name='day')),
                ('channel', models.CharField(max_length=30, verbose_name='channel')),
                ('count', models.PositiveIntegerField(verbose_name='deliveries')),
                ('early', models.PositiveIntegerField(verbose_name='early')),
                ('total_ms', models.BigIntegerField()),
                ('counts', models.JSONField(default=dict)),
                ('worst', models.JSONField(default=list)),
            ],
            options={
                'verbose_name': 'punctuality',
                'verbose_name_plural': 'punctuality',
                'ordering': ['unit_path', 'day', 'channel'],
                'constraints': [models.UniqueConstraint(fields=('unit_path', 'day', 'channel'), name='one_punctuality_per_unit_and_day')],
            },
        ),
        migrations.RunPython(GUARD.put_up, GUARD.take_down),
    ]
