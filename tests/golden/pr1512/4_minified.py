import faulthandler,hashlib as M,io,lzma,numpy as N,os as l,signal,subprocess,sys as c,time as u,torch as e,torch.distributed as a,torch.nn.functional as m,traceback
from functools import partial as t
from pathlib import Path as r
from sentencepiece import SentencePieceProcessor
from torch import nn as O
from torch.nn.attention.flex_attention import create_block_mask,flex_attention
from typing import NamedTuple as o
def eu(o,t):
 if not o.l:return t,
 a=range(o.shape[0]//len(o.l));return tuple(e.format(n)for e in o.l for n in a)
def v(h):
 l=[]
 for o in h:
  if o.l:
   a=range(o.shape[0]//len(o.l))
   for(e,d)in zip(o.l,o.init,strict=True):l+=[(e.format(n),d,o)for n in a]
  else:l+=[(t,o.init,o)for t in o.s()]
 return l
def em(r,h,i):
 for o in h:
  c=i if o.dtype=='activation'else e.float32
  for t in o.s():
   *d,s=t.split('.');l=r
   for a in d:
    if a not in l._modules:l.add_module(a,O.ModuleList())
    l=l._modules[a]
   l.register_parameter(s,O.Parameter(e.empty(o.shape,dtype=c,device=n)))
def ef(t):a=M.sha256(f"{Y}:{t}".encode()).digest();return e.Generator().manual_seed(int.from_bytes(a[:7],'little'))
def ep(h,l):
 i=k(y.state_dict(),h)
 for(t,d,u)in v(h):a=e.empty(i[t].shape);d(a,ef(t),l);i[t].copy_(a)
def k(i,h):
 s=[]
 for o in h:
  for t in o.s():s+=i[t].unbind()if o.l else[i[t]]
 return{t:n for((t,u,u),n)in zip(v(h),s,strict=True)}
def x(tensor,generator,ledger):tensor.zero_()
def j(tensor,generator,ledger):tensor.fill_(1.)
def q(tensor,generator,ledger,value):tensor.fill_(value)
def eg(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
def ew():
 t=l.environ.get;d=int(t('RANK',0));o=int(t('WORLD_SIZE',1));h=int(t('LOCAL_RANK',0))
 if o<1 or 8%o:raise ValueError(f"WORLD_SIZE is {o}, wanted a divisor of 8, the micro-batches of a step")
 return d,o,h
def ey():
 global n,oT,p,i;d,o,h=ew();t='gloo';r=e.device('cpu')
 if e.cuda.is_available():t='nccl';r=e.device('cuda',h);e.cuda.set_device(r)
 if o>1:a.init_process_group(t)
 p=d;i=o;oT=h;n=r
def eb():
 if i>1:a.destroy_process_group()
def ev(n):
 if i>1:a.all_reduce(n)
 return n
def ek(value):
 t=[value]*i
 if i>1:a.all_gather_object(t,value)
 return t
def ex(value):
 if i==1:return value
 t=e.tensor(value,dtype=e.float64,device=n);a.all_reduce(t,a.ReduceOp.MAX);return t.item()
def ej(n):
 if n.grad is None:n.grad=e.zeros_like(n)
 return n.grad
def eq(s):
 t=[ej(n)for n in s]
 if i>1:
  h=e.cat([d.flatten()for d in t]);a.all_reduce(h);o=(h/i).split([d.numel()for d in t])
  for(d,r)in zip(t,o,strict=True):d.copy_(r.view_as(d))
def ez(t,d):
 if i>1:return a.reduce_scatter(t,list(d.chunk(i)),async_op=True)
 t.copy_(d)
def eA(d,t):
 if i>1:return a.all_gather(list(d.chunk(i)),t,async_op=True)
 d.copy_(t)
def eB(e):
 if e is not None:e.wait()
def eC():
 t=''
 try:ob()
 except(OSError,ValueError)as o:t=f"{en}: {o}"
 for(d,a)in enumerate(ek(t)):
  if a:raise ValueError(f"{a} (on rank {d})"if d else a)
def eD(a):
 if a is not None:s(f"prepared {en}: {a}")
class Param(o):
 name:o;shape:o;group:o;q:o;init:o=None;r:o='';dtype:o='float32';layers:o=0;l:o=();reduction:o='replicated';B:o='';m:o=True;H:o=True;export:o='yes'
 def s(e):return[e.name.format(n)for n in range(e.layers)]or[e.name]
class Group(o):name:o;lr:o;weight_decay:o=.0
class Phase(o):name:o;start:o;A:o=True;r:o=''
class z:
 def __init__(e):e.done={}
 def count(e,plugin,unit,number=1):e.done[plugin,unit]=e.done.get((plugin,unit),0)+number
 def n(e,i,a):e.done[i,'']=a
 def z(e,i):return', '.join(f"{o} {a}".strip()for((t,a),o)in e.done.items()if t==i and o)
def eE(h,a,t):return(h/A(a)).round().clamp(-t,t).to(e.int8)
def A(a):return a[:,None]if a.ndim else a
def eF(d,a,i):return(d.float()*A(a).float()).to(i)
def eG(h,half):
 if h.ndim==2:a=(h.abs().amax(1)/31).clamp_min(1/31)
 else:a=h.abs().amax()/31;a=a if a>0 else a+1
 if half:a=a.half()
 return eE(h,a.float(),31),a
def eH(h):
 if h.ndim==2:t=e.quantile(h.abs(),.9999984,1);a=(t/127).clamp_min(1/127);o=a.half()
 else:t=e.quantile(h.abs().flatten(),.9999984);o=a=t/127 if t>0 else t+1
 t=A(t);return eE(h.clamp(-t,t),a,127),o
def eI(o,i):
 if'kept'in o:return o['kept'].to(i)
 return eF(o['codes'],o['step'],i)
def B(t,o):
 a=l.environ.get(t,o)
 try:return int(a)
 except ValueError:raise ValueError(f"{t} is {a!r}, wanted a whole number like {o!r}")from None
def eJ():
 a=l.environ.get('MAX_WALLCLOCK_SECONDS',6e2)
 try:return float(a)
 except ValueError:raise ValueError(f"MAX_WALLCLOCK_SECONDS is {a!r}, wanted seconds like 600.0")from None
def eK():global U,V,g,W,oC,X,Y,Z,oD,oE;t=l.environ.get;U=t('DATA_PATH','./data/datasets/fineweb10B_sp1024');V='export'in c.argv;g=B('ITERATIONS',20000);W=eJ();oC=t('RUN_ID',str(u.time_ns()));X='score'in c.argv;Y=B('SEED',1337);Z=t('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');oD=B('TRAIN_LOG_EVERY',200);oE=B('VAL_LOSS_EVERY',1000)
class Score(o):val_loss:o;d:o;C:o;g:o
def eL(i):
 if i.numel():raise ValueError(f"target {i[0]} of the validation stream is not scored")
def eM(i):d=b[i].to(n,e.int64);a=d[:,:-1].contiguous();return a,d[:,1:].contiguous(),eN(a)
def eN(d):return{}
def eO(t,y,i,d):
 m=i[:,1:];t[m[d]]=y;a,h,c=eM(i)
 with e.set_grad_enabled(False):u=oH(a,h,phases=tJ(),fields=c,reduction='none',adapter=None)
 l=aP(a,h,m.to(n));s=d.to(n);o=u.detach().double()*s,s,l*s;return u,e.stack([r.sum().double()for r in o])
def eP(t,o):
 if i>1:t=t.to(n);a.all_reduce(t,o)
 return t.cpu()
def eQ(t,l,h):
 eL(1+(t[1:]==0).nonzero().flatten());e,a,o=ev(l).tolist()
 if a>len(t)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(e/a,e/.6931471805599453/o,int(a),1e3*(u.perf_counter()-h))
def eR(scored_at):
 if p==0:d=f"logs/{oC}.scores.npz";N.savez_compressed(d,scored_at=scored_at.numpy())
class Span(o):start:o;end:o;D:o
def eS(t):return[Span(a,a+4096,0)for a in range(0,(t-1)//4096*4096,4096)]
def eT(t):return t[len(t)*p//i:len(t)*(p+1)//i]
def eU(o):
 i=e.zeros(er,4097,dtype=e.int64);d=e.zeros(er,4096,dtype=e.bool)
 for(n,(a,t,l))in enumerate(o):i[n,:t+1-a]=e.arange(a,t+1);d[n,l:t-a]=True
 return i,d
def C(o):
 h=u.perf_counter();y.eval();o=eT(o);t=e.zeros(len(b),dtype=e.int32);l=e.zeros(3,dtype=e.float64,device=n)
 for(c,r)in enumerate(range(0,len(o),er),1):
  i,d=eU(o[r:r+er]);l+=eO(t,c,i,d)[1]
  if c%100==0:s(f"eval: batch {c}")
 y.train();t=eP(t,a.ReduceOp.MAX);return eQ(t,l,h),t
def eV():return{t:o.q for(t,u,o)in v(ei)if o.export!='drop'}
def eW(i,c,y=0):
 h=eV();a={}
 for(t,e)in h.items():n=i[t];s=c.get(t,{});o=T[e].encode(t,n,s,d);a[t]={l:r.cpu()for(l,r)in o.items()}
 return eX(a)
def eX(a):return a
def eY(a):return aG(aK(a))
def eZ(data,i):
 t=2**20+sum(8*n.numel()+4096 for n in i.values())
 try:return aL(aH(data,t))
 except Exception as o:raise ValueError(f"the artifact cannot be read: {o}")from o
def te(t,o,e,i):n=T[e].decode(t,o,i);return n
def tt(a,i):
 h=eV()
 if a.keys()!=h.keys():raise ValueError("the artifact's tensors are not the model's")
 for(t,e)in h.items():
  try:n=ta(t,a[t],e,i[t].dtype)
  except Exception as o:raise ValueError(f"the artifact's {t} cannot be decoded: {o!r}")from o
  if n.shape!=i[t].shape:raise ValueError(f"{t}: shape {[*n.shape]}, wanted {[*i[t].shape]}")
  i[t].copy_(n)
def ta(t,o,e,i):return te(t,o,e,i)
def to(n):
 global ee,et,oF;oF=p;ee=p==0;r('logs').mkdir(exist_ok=True);et=r('logs',n+'.txt')
 if ee and not V:et.write_text('')
 c.excepthook=t(tn,et);faulthandler.register(signal.SIGTERM,et.open('a'),chain=True)
def s(a):
 if ee:
  print(a,flush=True)
  with et.open('a')as t:print(a,file=t)
def ti(a):
 if ee:s(f"error: {a}")
 elif a not in et.read_text():
  with et.open('a')as t:print(f"rank {oF}: error: {a}",file=t)
def tn(path,kind,error,trace):
 with path.open('a')as t:traceback.print_exception(error,file=t)
 c.__excepthook__(kind,error,trace)
def ts():
 a=M.sha256(r(c.argv[0]).read_bytes()).hexdigest();t=f"hardware:{l.uname().machine} CPU, {e.get_num_threads()} threads"
 if n.type=='cuda':t=subprocess.getoutput('nvidia-smi')
 s(f"Running Python {c.version}\nRunning PyTorch {e.__version__}\ncode_sha256:{a}\n{t}")
def D():return len(r(c.argv[0]).read_bytes())
ov='final_model.pt'
def E():return T['mlp'].name
def tr():return r(f"final_model.{E()}.ptz")
def th(a):
 i=k(y.state_dict(),ei)
 if p==0:r('final_export.pt').unlink(missing_ok=True);F(t(e.save,i),'final_model.pt')
 c=tu()
 if p==0:l=c,d.done,w,es,eo;F(t(e.save,l),'final_export.pt')
 tl(i,c)
def tl(i,c):
 o=tK();h('diagnostic','val');s(f"diagnostic pre-quantization post-ema val_loss:{o.val_loss:.8f} val_bpb:{o.d:.8f} eval_time:{o.g:.0f}ms")
 if p==0:tm(i,c)
 ex(.0);tp()
def F(o,d):
 a=r('final_model.tmp')
 try:
  o(a)
  with a.open('rb')as t:l.fsync(t.fileno())
  a.replace(d)
 finally:a.unlink(missing_ok=True)
def td():
 global eo,es,w;i=k(y.state_dict(),ei);a=tc('final_model.pt');l=tc('final_export.pt');o=[t for t in i if t not in a or a[t].shape!=i[t].shape]
 if o:raise ValueError(f"final_model.pt is of another model: {o[0]} is missing or has another shape")
 for(t,n)in i.items():n.copy_(a[t])
 c,e,w,es,eo=l;d.done.update(e);tG(eo);tl(i,c)
def tc(d):
 try:return e.load(d,n,weights_only=True)
 except OSError:raise
 except Exception as o:raise ValueError(f"{d} is damaged: {str(o)[:99]!r}")from o
def tu():global ea;c={};ea=False;return c
def tm(i,c):a=eW(i,c,D());h('quantize','none');l=eY(a);h('compress','none');F(t(r.write_bytes,data=l),tr());e=f"{E()}+lzma";s(f"Serialized model: {r(ov).stat().st_size} bytes\nCode size: {D()} bytes\nSerialized model {e}: {len(l)} bytes\nTotal submission size {e}: {len(l)+D()} bytes")
def tf():
 i=k(y.state_dict(),ei)
 for n in i.values():n.zero_()
 l=tr().read_bytes();a=M.sha256(l).hexdigest()
 if X:
  t=''.join(d.read_text()for d in r('logs').glob('*.txt'))
  if'artifact_sha256:'in t and a not in t:raise ValueError('the artifact is not that of the logs in logs/')
 s('artifact_sha256:'+a);tt(eZ(l,i),i)
def tp():a=E();tf();h('decode','none');o,t=C(eS(len(b)));h('score','val');tg(f"{a}_lzma_roundtrip",o);o,t=C(aT(len(b)));h('score','val');tg(f"{a}_sliding_window",o);eR(t);d.count('sliding_eval','targets',o.C)
def tg(e,o):s(f"final_{e} val_loss:{o.val_loss:.4f} val_bpb:{o.d:.4f} eval_time:{o.g:.0f}ms\nfinal_{e}_exact val_loss:{o.val_loss:.8f} val_bpb:{o.d:.8f}")
def tw():
 a=[i.r for i in f if i.name not in w];o=False
 for t in oq:
  e=d.z(t)
  if e and t not in a:s(f"receipt {t}: {e}")
  else:s(f"error: plugin {t} did nothing");o=p==0
 return o
class ty:
 def __init__(e):e.j=None;e.G=None;r=[(y.get_parameter(t),eu(o,t),o)for o in ei for t in o.s()];e.tensors=[n for(n,a,o)in r];e.names=[a for(n,a,o)in r];e.replicated=[n for(n,a,o)in r if o.reduction=='replicated'];e.u=[n for(n,a,o)in r if o.m];e.v=[a for(n,a,o)in r if o.m];l=[n for(n,a,o)in r if o.group=='matrix'];h=[a for(n,a,o)in r if o.group=='matrix'];on(l,h);d=[(i,[n for(n,a,o)in r if o.group==i.name],[a for(n,a,o)in r if o.group==i.name])for i in oj];aU(d)
 @e.no_grad()
 def step(e,scalars,ledger):
  for s in ox:s(e.tensors,e.names,ledger)
  os();eq(e.replicated);aV(scalars,ledger);oh(scalars,ledger)
  for n in e.tensors:n.grad=None
def tb(t):
 if e.cuda.is_available():return e.compile(t,dynamic=False,fullgraph=True)
 return t
def tv():return{}
def tk(o,a):return oi(o).contiguous()
def tx(d,n,c):n.mul_(c).add_(d);return d.add(n,alpha=c)
def tj(t):return max(1,t.shape[-2]/t.shape[-1])**.5
class Progress(o):step:o;k:o;p:o;f:o;E:o;i:o
class Scalars(o):i:o;b:o;momentum:o
def tq(a,t,n):e=t/n if n>0 else a/max(g,1);return Progress(a,g,t,n,e,1.)
class Context(o):
 ids:o;phases:o;training:o;a:o;memo:o;fields:o;c:o;w:o;ledger:o
 def t(e,i,a,o=1):
  if e.ledger is not None:e.ledger.count(i,a,o)
def G(a):return m.rms_norm(a,(a.size(-1),),eps=1.1920929e-07)
def tz(a):return m.pad(a[:,:-1],(0,0)*(a.dim()-2)+(1,0))
def tA(o,h,l,n,i,t):
 for s in oB:h=s(o,h,l,n,i,t)
 return h
def tB(o,h,a,l,n,i,t):
 h=tA(o,h,l,n,i,t)
 if t.w is not None:t.w(l,n,a)
 return H(m.linear(a,h.to(a.dtype)),a,l,i,t)
def H(h,a,o,i,t):
 if t.c is not None and o in t.c.sites:h=h+t.c.delta(a,o,i)
 return h
def tC(a,t):
 if'rope'not in t.memo:i=a.size(1);o=a.size(3);r=a.device;n=1e4**(-e.arange(0,o,2,dtype=e.float32,device=r)/o);h=e.outer(e.arange(i,dtype=e.float32,device=r),n);t.memo['rope']=h.cos(),h.sin()
 c,s=(y[None,:,None,:].to(a.dtype)for y in t.memo['rope']);d,l=a.chunk(2,-1);return e.cat((d*c+l*s,l*c-d*s),-1)
class GPT(O.Module):
 def __init__(e,h,i):super().__init__();e.F=None;e.j=None;e.records=h;em(e,h,i)
 def matrices(e):return k(dict(e.named_parameters()),e.records)
 def matrix(e,role,layer,position,ctx):return tA(e,ctx.a[f"blocks.{layer}.{role}.weight"],role,layer,position,ctx)
 def h(e,a,l,n,i,t):return tB(e,t.a[f"blocks.{n}.{l}.weight"],a,l,n,i,t)
 def stem(e,ids,ctx):a=m.embedding(ids,ctx.a['tok_emb.weight']);a=a+tZ(ids,ctx);a=G(a);a=av(a,ctx);return a
 def forward(e,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):o=fields or{};i={};fields={**i,**o};t=Context(ids,phases,e.training,e.matrices(),{},fields,adapter,observe,ledger);a=e.stem(ids,t);a=G(ab(e,a,a,t));h=aC(e,a,t);y=ae(h,targets,reduction,t);return y
def tD(t):
 t=r(t);a=sorted(d for d in t.parent.glob(t.name)if('_bytes_'in d.name)==('_bytes_'in t.name))
 if not a:raise ValueError(f"{t}: no shard matches, see DATA_PATH")
 return a
def tE(d):
 o=r(d).stat().st_size;t=N.fromfile(d,'<i4',3).tolist()
 if o<=1024 or t!=[20240520,1,(o-1024)/2]:raise ValueError(f"{d}: {o} bytes and header {t}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return t[2]
def I(d):
 a=N.memmap(d,'<u2','r',1024,tE(d))
 if a.max()>=1024:raise ValueError(f"{d}: token {a.argmax()} is {a.max()}, wanted an id below 1024")
 return a
def tF(t):
 a=N.concatenate([I(d)for d in tD(t)])
 if len(a)<=4096:raise ValueError(f"{t}: {len(a)} tokens, wanted at least 4097")
 return e.from_numpy(a[:(len(a)-1)//4096*4096+1])
def tG(t):global oG;oG=u.perf_counter()-t/1e3
def h(t,data):global eo;a=1e3*(u.perf_counter()-oG);s(f"stage:{t} begin:{eo:.0f}ms end:{a:.0f}ms data:{data}");eo=a
def tH(h,l):global eo,es,oH,d,y,ei,w,en,er,oG,b,ea;ei=h;d=l;w=();en='';eo=.0;oG=u.perf_counter();es=False;ea=not(X or V);er=max(16,1);i=e.bfloat16 if n.type=='cuda'else e.float32;e._dynamo.config.recompile_limit=16;y=GPT(h,i);ep(h,l);oH=tb(y);t=r(U,'fineweb_val_*.bin');b=tF(t);aO(l);a=M.sha256(b.numpy().data).hexdigest();s(f"val_loader:shards pattern={t} tokens:{len(b)-1}\nval_sha256:{a}")
def J(l):t=r(U,'fineweb_train_*.bin');aQ(t,l)
def tI():
 if not ea:raise ValueError('training data are closed: training time is over')
 c=aS();a,h=(r.to(n,non_blocking=True)for r in c);return a,h,{}
def tJ():return tuple(i.name for i in f if i.A and i.name in w)
def tK():return C(eS(len(b)))[0]
def tL(n):
 t=[()]
 for i in n:t+=[(*o,i.name)for o in t]
 return t
def tM():
 a,h,c=tI();a,h=a[:1,:512],h[:1,:512];c={t:r[:1,:512]for(t,r)in c.items()};e=tuple(i.name for i in f);y(a,h,phases=e,fields=c,ledger=d).backward()
 for o in ei:n=sum(y.get_parameter(t).grad is not None for t in o.s());d.count(o.r,'trained tensors',n)
 y.zero_grad()
def tN():
 i=y.state_dict();l={t:n.clone()for(t,n)in i.items()};m=ty();h=z();J(h)
 for o in tL(f):
  for a in range(20):tS(m,o,Scalars(1.,1.,.9),h);s(' '.join((f"warmup_step:{a+1}/20",*o)))
 for(t,n)in i.items():n.copy_(l[t])
 e.manual_seed(Y);J(d)
def tO(h):
 try:eK();ey();l=z()
 except ValueError as o:print(f"error: {o}",file=c.stderr);c.exit(2)
 n=ek(oC)[0];to(n);e.manual_seed(Y);e.backends.cuda.matmul.allow_tf32=True
 if W==0:tQ()
 ts();s('plugins:'+' '.join(oq));tP(h,l)
 if ea:
  tR();tM();tN();a=tV()
  try:th(a)
  except(OSError,ValueError)as o:ti(str(o));c.exit(f"error: rank {p}: {o}")
 t=not X and(tw()or es);eb()
 if t:c.exit(1)
def tP(h,l):
 global w
 try:
  tH(h,l);eC()
  if V:td()
  elif X:w=tuple(i.name for i in f);tp()
  else:J(z())
  return
 except(OSError,ValueError)as o:
  ti(str(o))
  if not V:eb()
  c.exit(2)
def tQ():l.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');e.use_deterministic_algorithms(True)
def tR():s(f"model_params:{sum(n.numel()for n in y.parameters())}\nworld_size:{i} grad_accum_steps:{8//i}\nseed:{Y}\ntrain_batch_tokens:786432 train_seq_len:4096 iterations:{g} warmup_steps:20 max_wallclock_seconds:{W:.3f}")
def tS(m,n,r,l):
 t=8//i;o=.0
 for u in range(t):a,h,c=tI();y=oH(a,h,phases=n,fields=c)/t;o+=y.detach();y.backward()
 m.step(r,l);return o
def tT(a,t,n):
 global w;o=tq(a,t,n);r=Scalars(1.,1.,.0)
 for l in oz:r=l(o,r,d)
 for i in f:
  if i.name not in w and i.start(o._replace(i=r.i)):w=tuple(e.name for e in f if e.name in w or e is i);d.n(i.r,f"on at step {a}");s(f"phase {i.name} on at step:{a} train_time:{t:.0f}ms")
 return r
def tU():return 1e3*W
def tV():
 m=ty();aW(m.u,m.v);n=tU();a=0;t=.0;od()
 while True:
  c=a==g or 0<n<=t
  if c or oE>0 and a%oE==0:
   oc();o=tK();tW(a,f"val_loss:{o.val_loss:.4f} val_bpb:{o.d:.4f}",t)
   if c:break
   od()
  r=tT(a,t,n);y=tS(m,w,r,d);a+=1;aX(m.u,a,r);t=ex(ou(a))
  if oD>0 and(a<=10 or a%oD==0):
   tW(a,f"train_loss:{y:.4f}",t)
   if y!=y:raise ValueError('the training loss is not a number')
 if a<g:s(f"stopping_early: wallclock_cap train_time:{t:.0f}ms step:{a}/{g}")
 i=e.cuda.max_memory_allocated()>>20;l=e.cuda.max_memory_reserved()>>20;s(f"peak memory allocated: {i} MiB reserved: {l} MiB");aY(m.u);tG(t);h('train','train');return a
def tW(a,o,t):s(f"step:{a}/{g} {o} train_time:{t:.0f}ms step_avg:{t/max(a,1):.2f}ms")
def tX(a,o,e,t):t.t('additive_skips','skips');return a+t.a['skip_weights'][e].to(a.dtype)*o
def tY(a):t=e.bitwise_xor(36313*a[:,1:],27191*a[:,:-1])%3071;return m.pad(t,(1,0),value=3071)
def tZ(a,t):t.t('bigram_hash','lookups');l=m.embedding(tY(a),t.a['bigram.embed.weight']);o=m.linear(l,t.a['bigram.proj.weight'].to(l.dtype));return o*t.a['bigram.scale'].to(l.dtype)
def ae(a,o,reduction,t):t.t('cross_entropy','losses');y=m.cross_entropy(a.flatten(0,1).float(),o.flatten(),reduction=reduction);return y.view_as(o)if reduction=='none'else y
def at(o,a,n,i,t):t.t('leaky_relu2','layers');e=m.leaky_relu(o.h(a,'mlp.fc',n,i,t),.5).square();return o.h(e,'mlp.proj',n,i,t)
def aa(a,n,t):t.t('ln_scale','branches');o=(n+1)**-.5;return a*o
def K(tensor,generator,ledger):
 if min(tensor.shape)>=64:O.init.orthogonal_(tensor,generator=generator);ledger.count('ortho_init','orthogonal matrices')
 else:t=tensor.shape[-1]**-.5;tensor.uniform_(-t,t,generator=generator)
def ao(a,t):t.t('partial_rope','rotations');o=tC(a[...,:16],t);return e.cat((o,a[...,16:]),-1)
def ai(model,q_BTHC,k_BTKC,n_BTD,layer,position,ctx):
 if layer<6:return q_BTHC,k_BTKC
 ctx.t('pko','layers');d=k_BTKC[...,16:];l=e.cat((d[:,:1],d[:,:-1]),dim=1)
 if'starts'in ctx.fields:l=e.where(ctx.fields['starts'][:,:,None,None],d,l)
 return q_BTHC,e.cat((k_BTKC[...,:16],l),dim=-1)
def an(model,q_BTHC,k_BTKC,n_BTD,layer,position,ctx):ctx.t('qk_gain','layers');e=ctx.a[f"blocks.{layer}.attn.q_gain"].to(q_BTHC.dtype);return q_BTHC*e[:,None],k_BTKC
def ar(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def ah(o,a,n,i,t):
 d=o.h(a,'attn.c_q',n,i,t);r=o.h(a,'attn.c_k',n,i,t);l=o.h(a,'attn.c_v',n,i,t);l=aE(l,n,t);d=ao(G(e.unflatten(d,2,(8,-1))),t);r=ao(G(e.unflatten(r,2,(4,-1))),t);l=e.unflatten(l,2,(4,-1))
 for s in(ai,an):d,r=s(o,d,r,a,n,i,t)
 h=aB(d,r,l,n,t);h=aF(h,l,n,t);h=o.h(h.flatten(2),'attn.proj',n,i,t);return H(h,a,'attn',i,t)
def al(c,y,a,o,t):
 d=c.transpose(1,2);r=y.transpose(1,2);l=a.transpose(1,2)
 if o<0 or o>=d.size(2)-1:i=d.size(1)!=r.size(1);return m.scaled_dot_product_attention(d,r,l,is_causal=True,enable_gqa=i).transpose(1,2)
 return ad(c,y,a,ac(d.size(2),o,d.device,t))
def ad(c,y,a,s):d=c.transpose(1,2);r=y.transpose(1,2);l=a.transpose(1,2);n=d.size(1)//r.size(1);r=r.repeat_interleave(n,1);l=l.repeat_interleave(n,1);return m.scaled_dot_product_attention(d,r,l,attn_mask=s).transpose(1,2)
def ac(length,o,device,t):
 l='window',o
 if l not in t.memo:a=e.arange(length,device=device);n=a[:,None]-a[None,:];t.memo[l]=(n>=0)&(n<=o)
 s=t.memo[l];return s
def au(a,l,n,t):o=t.a[f"blocks.{n}.resid_mix"].to(a.dtype);return o[0]*a+o[1]*l
def am(a,n,t):o=G(a);o=aa(o,n,t);return o
def af(o,a,n,i,t):e=ah(o,a,n,i,t);return t.a[f"blocks.{n}.attn_scale"].to(a.dtype)*e
def ap(o,a,n,i,t):e=H(at(o,a,n,i,t),a,'mlp',i,t);return t.a[f"blocks.{n}.mlp_scale"].to(a.dtype)*e
def ag(o,a,l,n,i,t):d=au(a[0],l,n,t);d=d+af(o,am(d,n,t),n,i,t);return d+ap(o,am(d,n,t),n,i,t),
def aw(a,o,e,n,t):
 if o is None:return a
 return tX(a[0],o,e,t),*a[1:]
def ay(o,a,l,t):
 r,h=aD();t.t('unet_plan','steps over 11 layers',len(r)+len(h));d=[]
 for(i,n)in enumerate(r):a=ag(o,a,l,n,i,t);d.append(a[0])
 for(e,n)in enumerate(h):a=aw(a,d.pop()if d else None,e,n,t);a=ag(o,a,l,n,len(r)+e,t)
 return a
def ab(o,a,e,t):t.t('sequential_wiring','walks');return ay(o,(a,),e,t)[0]
def av(a,t):t.t('smear_gate','blends');o=e.sigmoid(t.a['smear.gate']).to(a.dtype);return(1-o)*a+o*tz(a)
def ak():
 if n.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as t;return'flash-attn 3',t
 except ImportError:
  try:from flash_attn import flash_attn_func as t;return'flash-attn 2',t
  except ImportError:return aq(),None
def ax(t,c,y,a,o):h=t(c,y,a,causal=True,window_size=(o,0));return h[0]if isinstance(h,tuple)else h
def aj(e,c,y,a,o,t):
 if e is not None:return ax(e,c,y,a,o)
 return al(c,y,a,o,t)
def aq():t=e.are_deterministic_algorithms_enabled();e.backends.cuda.enable_cudnn_sdp(not t);e.backends.cuda.enable_flash_sdp(t);e.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if t else'cuDNN'
def az():
 def t(batch,head,query,key):return(query>=key)&(query-key<=256)
 return t
def aA():
 global P;t,P=ak()
 if n.type!='cuda'or P is not None:return t
 for i in(4096,4096):a=az();Q[i]=create_block_mask(a,None,None,i,i,device=n)
 return f"flex_attention (windows), {t} (full)"
def aB(d,r,l,n,t):
 a=n<6;t.t('swa','windowed layers'if a else'full layers');o=256 if a else-1
 if a and t.ledger is None and d.size(1)in Q:i=d.size(2)!=r.size(2);e=d.transpose(1,2),r.transpose(1,2),l.transpose(1,2);h=flex_attention(*e,block_mask=Q[d.size(1)],enable_gqa=i);return h.transpose(1,2)
 return aj(P,d,r,l,o,t)
def aC(o,a,t):t.t('tied_head','heads');n=tB(o,t.a['tok_emb.weight'],a,'head',0,0,t);return 3e1*e.tanh(n/3e1)
def aD():a=tuple(range(11));return a[:len(a)//2],a[len(a)//2:]
def aE(a,n,t):
 if n not in(9,10):return a
 t.t('value_embedding','layers')
 if've'not in t.memo:l=m.embedding(t.ids,t.a['ve_shared.embed.weight']);l=m.linear(l,t.a['ve_shared.proj.weight'].to(l.dtype));t.memo['ve']=l*t.a['ve_shared.scale'].to(l.dtype)
 o=t.a[f"ve_layer_scales.{oA.index(n)}"];e=t.memo['ve'];return a+o.to(a.dtype)*e
def aF(o,a,n,t):
 if n<0:return o
 t.t('xsa','layers');i=e.unflatten(o,2,(a.size(2),-1));d=m.normalize(a,dim=-1)[:,:,:,None,:];return(i-(i*d).sum(-1,keepdim=True)*d).flatten(2,3)
def aG(data):h=lzma.compress(data,preset=9);d.n('lzma',f"{len(data)} -> {len(h)} bytes");return h
def aH(data,t):
 h=lzma.LZMADecompressor(memlimit=2**27);a=h.decompress(data,t)
 if not h.eof or h.unused_data:raise ValueError(f"wanted one whole stream of at most {t} bytes")
 return a
def aI(a):n=io.BytesIO();i={c.intern(t):{c.intern(l):r for(l,r)in o.items()}for(t,o)in a.items()};e.save(i,n);return n.getvalue()
def aJ(data):return e.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def aK(a):l=aI(a);d.n('torch_save',f"{len(a)} tensors in {len(l)} bytes");return l
def aL(data):return aJ(data)
def aM():
 try:t=SentencePieceProcessor(Z)
 except(OSError,RuntimeError)as o:raise OSError(f"{Z}: not a SentencePiece model")from o
 if len(t)>1024:raise ValueError(f"{Z} has {len(t)} pieces, wanted at most vocab_size=1024")
 if t.piece_to_id('\u2581')==t.unk_id():raise ValueError(f"{Z}: U+2581 is not a piece of its own")
 return t
def aN(t):
 l=[(0,0,1)]*1024
 for a in range(len(t)):
  if not(t.is_control(a)or t.is_unknown(a)or t.is_unused(a)):o=t.id_to_piece(a);n=o.startswith('\u2581');l[a]=1 if t.is_byte(a)else len(o.encode())-3*n,n,0
 return e.tensor(l).T
def aO(l):
 global oS,oR,oI,oQ
 if any(r(U).glob('*_bytes_*')):raise ValueError(f"{U}: it has byte side files, build with the plugin that reads them")
 t=aN(aM());oQ,oR,oS=t.to(n);oI=l
def aP(a,t,o):oI.count('sentencepiece_bytes','targets',t.numel());l=oQ[t]+(oR[t]&~oS[a]);return l
def aQ(t,l):
 global eh,oL,oJ,el,oK;eh=tD(t)
 for d in eh:tE(d)
 oJ=p;oK=i;oL=l;el=I(eh[0])
def aR(t):
 global el;o=[]
 while t>0:
  if not len(el):eh.append(eh.pop(0));el=I(eh[0])
  o.append(el[:t]);el=el[t:];t-=len(o[-1])
 return N.concatenate(o)
def aS():t=aR(oK*98305).reshape(oK,-1)[oJ];t=e.from_numpy(t.astype(int));oL.count('sequential_loader','batches');return t[:-1].reshape(-1,4096),t[1:].reshape(-1,4096)
def aT(t):a=min(64,4096);m=t-1;o=range(0,max(m-(4096-a),1),a);return[Span(r,min(r+4096,m),0 if r==0 else 4096-a)for r in o]
def aU(d):global oM;l=[{'params':s,'spec':i}for(i,s,a)in d];oM=e.optim.AdamW(l,betas=(.9,.95),eps=1e-08,fused=True)
def aV(r,l):
 for n in oM.param_groups:n['lr']=n['spec'].lr*r.i;n['weight_decay']=n['spec'].weight_decay*r.b
 oM.step();l.count('adam','steps')
@e.no_grad()
def aW(s,a):global ed,oN;oN=0;ed=[n.detach().float().clone()for n in s]
@e.no_grad()
def aX(s,i,r):global oN;oN+=1;e._foreach_mul_(ed,.997);e._foreach_add_(ed,[n.detach().float()for n in s],alpha=1-.997)
@e.no_grad()
def aY(s):
 for(n,t)in zip(s,ed,strict=True):n.copy_(t)
 d.count('ema','updates',oN)
def aZ(tensors,names,ledger,max_norm):O.utils.clip_grad_norm_(tensors,max_norm);ledger.count('grad_clip','steps')
def oe(progress,scalars,ledger,start,final,steps):t=min(progress.step/steps,1.)if steps>0 else 1.;c=(1-t)*start+t*final;ledger.n('momentum_warmup',f"momentum {c:.4f} at step {progress.step}");return scalars._replace(momentum=c)
def ot(tensor,update,names,lr,scalars,ledger,weight_decay):tensor.mul_(1-lr*weight_decay*scalars.b);ledger.count('muon_weight_decay','tensors decayed')
def oa(a,i,e):
 o=a.shape[-2]>a.shape[-1]
 if o:a=a.mT
 a=a/(a.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for u in range(i):t=a@a.mT;n=2.0315*t@t if e else 2.0315*(t@t);a=3.4445*a+(-4.775*t+n)@a
 return a.mT if o else a
def oo(update,steps,scale_first):return oa(update.bfloat16(),steps,scale_first)
def oi(o):
 global S
 if S is None:S=tb(oo)
 return S(o,5,False)
class MuonBank(o):weight:o;names:o;x:o;full:o;y:o;momentum:o;K:o
def on(s,a):
 global ec,oU;oU=tv();ec=[];f=e.bfloat16 if n.type=='cuda'else e.float32
 for(h,y)in sorted(zip(s,a,strict=True),key=lambda pair:-pair[0].numel()):*u,l,b=h.shape;m=-(-len(y)//i);r=(*y,*['']*m*i)[m*p:][:m];g=[(o,l,b)for o in(m*i,m)];d,t=[e.zeros(w,dtype=f,device=n)for w in g];K,c=[e.zeros(w,dtype=e.bfloat16,device=n)for w in g];ec.append(MuonBank(h,y,r,d,t,c,K))
def os():
 global oO;oO=[]
 for t in ec:d=ej(t.weight).bfloat16();t.full.flatten()[:d.numel()].copy_(d.flatten());oO.append(ez(t.y,t.full))
def oh(r,l):
 a=[]
 for(t,e)in zip(ec,oO,strict=True):
  eB(e);h=i;d=(t.y/h).bfloat16();o=tx(d,t.momentum,r.momentum);o=tk(o,t.x);a.append((t,eA(t.K,o),o))
  if len(a)>1:ol(*a.pop(0),r,l)
 for n in a:ol(*n,r,l)
def ol(t,e,o,r,l):
 eB(e);h,i=t.weight,.025*r.i;a=t.K.flatten()[:h.numel()].view_as(h)
 for s in ok:s(h,a,t.names,i,r,l)
 h.add_(a,alpha=-i*tj(h));l.count('parallel_muon','bank updates');l.count('newton_schulz','matrices',t.K.size(0))
def od():global oP;oP=u.perf_counter()-R
def oc():
 global R
 if e.cuda.is_available():e.cuda.synchronize()
 R=u.perf_counter()-oP;d.n('wall_clock',f"{R:.3f} seconds")
def ou(a):return 1e3*(u.perf_counter()-oP)
def om(o,length):
 if length<=0:return 1.
 if o.f>0:t=length*(o.p/max(o.step,1));return min(max(o.f-o.p,.0)/max(t,1e-09),1.)
 a=o.k-o.step;return a/length if 0<a<=length else 1.
def of(progress,scalars,ledger,length):t=om(progress,length);ledger.n('warmdown_iters',f"multiplier {t:.4f} at step {progress.step}");return scalars._replace(i=scalars.i*t)
def op(model,weight,role,layer,position,ctx,half):
 if role=='head'or not ctx.training or'bank_qat'not in ctx.phases:return weight
 ctx.t('bank_qat','matrices');d,a=eG(weight.detach().float(),half);return weight+(eF(d,a,weight.dtype)-weight).detach()
def og(progress,threshold):return progress.i<threshold
class ow:
 name='int6'
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int6','tensors kept');return{'kept':tensor.half()}
  ledger.count('int6','tensors quantized');d,a=eG(tensor.float(),True);return{'codes':d,'step':a}
 def decode(e,name,parts,kind):return eI(parts,kind)
class L:
 name='int8'
 def __init__(e,half):e.half=half
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if e.half else tensor.float()}
  ledger.count('int8','tensors quantized');d,a=eH(tensor.float());return{'codes':d,'step':a}
 def decode(e,name,parts,kind):return eI(parts,kind)
def oy():return Param('qo_bank',(22,512,512),'matrix','attn',(K,x),'banks',l=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(22,256,512),'matrix','attn',(K,K),'banks',l=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(11,1536,512),'matrix','mlp',(K,),'banks',l=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(11,512,1536),'matrix','mlp',(x,),'banks',l=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(5,512),'scalar','control',j,'additive_skips'),Param('bigram.embed.weight',(3072,112),'embed','aux',x,'bigram_hash','activation'),Param('bigram.proj.weight',(512,112),'scalar','aux',K,'bigram_hash'),Param('bigram.scale',(),'scalar','control',t(q,value=.05),'bigram_hash'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',t(q,value=2.5),'qk_gain',layers=11),Param('blocks.{}.attn_scale',(512,),'scalar','control',j,'residual_scales',layers=11),Param('blocks.{}.mlp_scale',(512,),'scalar','control',j,'residual_scales',layers=11),Param('blocks.{}.resid_mix',(2,512),'scalar','control',ar,'residual_scales',layers=11),Param('smear.gate',(512,),'scalar','control',x,'smear_gate'),Param('tok_emb.weight',(1024,512),'embed','embed',t(eg,std=.005),'tied_head','activation',B='head'),Param('ve_shared.embed.weight',(1024,128),'embed','aux',t(eg,std=.01),'value_embedding','activation'),Param('ve_shared.scale',(),'scalar','control',t(q,value=.1),'value_embedding'),Param('ve_layer_scales.{}',(1,),'scalar','control',j,'value_embedding',layers=2),Param('ve_shared.proj.weight',(256,128),'scalar','aux',K,'value_embedding')
def ob():global en;en='swa';eD(aA())
ok=t(ot,weight_decay=.04),
P=None
Q={}
R=.0
ox=t(aZ,max_norm=.3),
oj=Group('embed',.035,.04),Group('scalar',.025,.04)
S=None
f=Phase('bank_qat',t(og,threshold=.15),False,'bank_qat'),
oq='adam','additive_skips','bank_qat','banks','bigram_hash','cross_entropy','ema','grad_clip','int6','int8','leaky_relu2','ln_scale','lzma','momentum_warmup','muon_weight_decay','newton_schulz','ortho_init','parallel_muon','partial_rope','pko','qk_gain','residual_scales','sentencepiece_bytes','sequential_loader','sequential_wiring','sliding_eval','smear_gate','swa','tied_head','torch_save','unet_plan','value_embedding','wall_clock','warmdown_iters','xsa'
oz=t(oe,final=.99,start=.92,steps=1500),t(of,length=4000)
T={'attn':ow(),'aux':L(True),'control':L(False),'embed':L(True),'mlp':ow()}
oA=9,10
oB=t(op,half=True),
if __name__=='__main__':tO(oy())