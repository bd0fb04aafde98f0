from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('teiji', '0001_requests'), ('teiji', '0002_cache')]

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='CachedValue',
            fields=[
                ('cache_key', models.CharField(max_length=255, primary_key=True, serialize=False)),
                ('value', models.TextField()),
                ('expires', models.DateTimeField(db_index=True)),
            ],
            options={
                'db_table': 'teiji_cache',
            },
        ),
        migrations.CreateModel(
            name='RequestCount',
            fields=[
                ('holder', models.CharField(max_length=50, primary_key=True, serialize=False)),
                ('minute', models.BigIntegerField()),
                ('count', models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='KeptAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('holder', models.CharField(max_length=300)),
                ('key', models.CharField(max_length=255)),
                ('digest', models.CharField(max_length=64)),
                ('at', models.DateTimeField()),
                ('status', models.PositiveSmallIntegerField(null=True)),
                ('headers', models.JSONField(default=dict)),
                ('body', models.TextField()),
            ],
            options={
                'indexes': [models.Index(fields=['at'], name='kept_answers_by_time')],
                'constraints': [models.UniqueConstraint(fields=('holder', 'key'), name='one_answer_per_key')],
            },
        ),
    ]
